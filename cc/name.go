package cc

import "slices"

// names holds what the configuration knows, the default first.
var names = []string{"bbr", "cubic", "reno", "lia", "olia", "balia", "wvegas"}

// kernel holds those of names that a stock kernel may offer under the same name. The coupled ones were part of
// the old Linux MPTCP tree only; a single connection could not couple anything anyhow.
var kernel = []string{"bbr", "cubic", "reno"}

// Names lists the congestion controls, the default first.
func Names() []string { return slices.Clone(names) }

// Valid says whether name is one of Names.
func Valid(name string) bool { return slices.Contains(names, name) }

// KernelMayOffer says whether it makes sense to ask a kernel for the congestion control name. Whether it has it, and
// gives it to this user, shows when it is asked.
func KernelMayOffer(name string) bool { return slices.Contains(kernel, name) }
