package netlab

import "fmt"

// Firewall is a stateful packet filter: what belongs to a known connection passes, and so do ICMP and what the rules
// let in or out; all else does not. It is nftables' `ct state`, which needs what NeedNFTables says.
//
// What it stands for: the packet filter of a host or a home router, as distributions, cloud providers and
// administrators set it up.
type Firewall struct {
	In  []uint16 // TCP ports to which connections may be opened from outside; none: nothing may
	Out []uint16 // TCP ports to which connections may be opened from inside; none: anything may, of any protocol

	// Reject answers what does not pass: TCP with a reset, the rest with ICMP "administratively prohibited". Else it is
	// dropped without a word.
	Reject bool
}

const firewallTable = "netlab_firewall"

// Firewall filters what the host itself receives (INPUT) and sends (OUTPUT), in place of a filter before. Loopback is
// free. Data that were sent around the kernel's TCP do not belong to a connection that the filter knows.
func (h *Host) Firewall(f Firewall) {
	h.lab.do("firewall on "+h.name, func() error {
		return h.putTable(firewallTable,
			f.chain("input", `iif lo accept`, portRule(f.In, ""))+
				f.chain("output", `oif lo accept`, portRule(f.Out, "ct state new accept")))
	})
}

// ForwardFirewall filters what a router forwards (FORWARD), in place of a filter before: inside is the link behind it.
func (h *Host) ForwardFirewall(inside *Link, f Firewall) {
	h.lab.do("firewall on "+h.name, func() error {
		side := SideA
		if inside.hosts[SideB] == h {
			side = SideB
		}
		if inside.hosts[side] != h {
			return fmt.Errorf("%s is at no end of link %s: give one of its own", h.name, inside.names[SideA])
		}
		within := fmt.Sprintf("iifname %q ", inside.names[side])
		in, out := portRule(f.In, ""), within+portRule(f.Out, "ct state new accept")
		if in != "" {
			in = fmt.Sprintf("iifname != %q %s", inside.names[side], in)
		}
		return h.putTable(firewallTable, f.chain("forward", in, out))
	})
}

// NoFirewall removes the filter.
func (h *Host) NoFirewall() {
	h.lab.do("no firewall on "+h.name, func() error { return h.dropTable(firewallTable) })
}

// portRule accepts new connections to TCP ports; none gives another rule.
func portRule(ports []uint16, none string) string {
	if len(ports) == 0 {
		return none
	}
	return fmt.Sprintf("tcp dport %s ct state new accept", portSet(ports))
}

// chain is the chain of a hook with some rules of its own.
func (f Firewall) chain(hook string, rules ...string) string {
	s := fmt.Sprintf("\tchain %s {\n\t\ttype filter hook %[1]s priority filter; policy drop;\n", hook)
	rules = append([]string{
		"ct state established,related accept",
		"meta l4proto { icmp, ipv6-icmp } accept",
	}, rules...)
	if f.Reject {
		rules = append(rules, "meta l4proto tcp reject with tcp reset", "reject with icmpx admin-prohibited")
	}
	for _, r := range rules {
		if r != "" {
			s += "\t\t" + r + "\n"
		}
	}
	return s + "\t}\n"
}
