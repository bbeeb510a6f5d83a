package uplink

import (
	"fmt"
	"slices"
)

// plan decides which uplinks there are: the configured ones, or with an empty configuration every link with a default
// route in a table that a rule uses. known are the names that discovery has found before: while such a link exists, it
// stays in the list with the reason why it is out of work. IDs are not set; order is that of the configuration, or of
// known and then of the links.
func plan(s snapshot, cfg []Config, known []string) []Uplink {
	if len(cfg) == 0 {
		return discover(s, known)
	}
	us := make([]Uplink, 0, len(cfg))
	for _, c := range cfg {
		u := Uplink{Name: c.name(), Backup: c.Backup, Carrier: c.Carrier}
		if slices.ContainsFunc(us, func(o Uplink) bool { return o.Name == u.Name }) {
			u.State, u.Reason = StateDisabled, fmt.Sprintf("the name %s is used twice: rename one of them", u.Name)
		} else {
			u.named(s, c)
		}
		us = append(us, u)
	}
	return us
}

// named fills in an uplink that the configuration asks for.
func (u *Uplink) named(s snapshot, c Config) {
	source := c.Source.Unmap()
	l, found := s.byName(c.Interface)
	switch {
	case c.Interface != "" && !found:
		u.wait("interface %s does not exist", c.Interface)
		return
	case c.Interface == "" && source.IsValid():
		if l, found = s.owner(source); !found {
			u.wait("no interface has the address %s", source)
			return
		}
	case c.Interface == "":
		u.State, u.Reason = StateDisabled, "neither interface nor source is configured: set one"
		return
	}
	if source.IsValid() {
		l.addrs = slices.DeleteFunc(slices.Clone(l.addrs), func(a address) bool { return a.ip != source.WithZone("") })
		if len(l.addrs) == 0 {
			u.fillLink(l)
			u.wait("interface %s does not have the address %s", l.name, source)
			return
		}
	}
	u.fill(l)
}

// discover lists the links with a default route, and those of known that exist.
func discover(s snapshot, known []string) []Uplink {
	var us []Uplink
	for _, name := range known {
		if l, ok := s.byName(name); ok && l.name == name {
			us = append(us, discovered(s, l))
		}
	}
	for _, l := range s.links {
		if l.kind == kindLoopback || slices.Contains(known, l.name) || !s.hasDefault(l.index) {
			continue
		}
		u := discovered(s, l)
		if u.State == StateDisabled && !u.Address().IsValid() {
			continue // a tunnel that is not in use: macOS has several, each with a default route
		}
		us = append(us, u)
	}
	return us
}

func discovered(s snapshot, l link) Uplink {
	u := Uplink{Name: l.name}
	u.fill(l)
	if reason := l.kind.disabled(); reason != "" {
		u.State, u.Reason = StateDisabled, reason
	} else if u.State == StateUp && !s.hasDefault(l.index) {
		u.wait("interface %s has no default route", l.name)
	}
	return u
}

// fill takes over what a link offers and judges it.
func (u *Uplink) fill(l link) {
	u.fillLink(l)
	u.V4, u.V6 = sources(l.addrs)
	switch {
	case !l.up:
		u.State, u.Reason = StateDown, fmt.Sprintf("interface %s is switched off", l.name)
	case !l.carrier:
		u.State, u.Reason = StateDown, "no carrier"
	case !u.Address().IsValid():
		u.wait("interface %s has no usable address", l.name)
	default:
		u.State, u.Reason = StateUp, ""
	}
}

// fillLink names the device to bind to. Loopback is none: an address there (a service address, 127.0.0.1) is reached
// and left by other devices.
func (u *Uplink) fillLink(l link) {
	if l.kind != kindLoopback {
		u.Interface, u.Index = l.name, l.index
	}
}

func (u *Uplink) wait(format string, args ...any) {
	u.State, u.Reason = StateWaiting, fmt.Sprintf(format, args...)
}
