package uplink

import (
	"fmt"
	"net/netip"
	"slices"

	"hawser/transport"
)

// target is one configured address of the server.
type target struct {
	name string
	ip   netip.Addr // valid: name is a literal
}

// way is what is known of one uplink's ways to the server. Owned by Targets, under its lock.
type way struct {
	uplink  Uplink
	answers map[string]*answer // by name
	order   order
	paths   []transport.Path // best first
	working bool             // the last report was of success
	err     error            // the last report, when it was of failure
	streak  int              // failures reported in a row
	barred  error            // why an address was left out, when one was
}

// follow takes over a new snapshot of the uplink. Another link or other addresses make what is known doubtful.
func (w *way) follow(u Uplink) {
	old := w.uplink
	w.uplink = u
	if u.Usable() && old.Usable() && old.Index == u.Index && old.Interface == u.Interface && old.sameAddresses(u) {
		return
	}
	w.working, w.err, w.streak = false, nil, 0
	for _, a := range w.answers {
		a.renew()
	}
}

// answer returns the entry of a name.
func (w *way) answer(name string) *answer {
	if w.answers == nil {
		w.answers = make(map[string]*answer)
	}
	a := w.answers[name]
	if a == nil {
		a = &answer{}
		w.answers[name] = a
	}
	return a
}

// build works out the paths anew: every address of every target that the uplink has a source address and a route for.
// A name without an answer of this uplink uses what others have been told (borrowed).
func (w *way) build(ts []target, port uint16, borrowed map[string][]netip.Addr, route routeOf) {
	w.paths, w.barred = nil, nil
	if !w.uplink.Usable() {
		return
	}
	remotes := w.remotes(ts, borrowed)
	w.order.keep(remotes)
	w.order.sort(remotes)
	for _, ip := range remotes {
		local := localFor(w.uplink, ip)
		if !local.IsValid() {
			w.bar(fmt.Errorf("this uplink has no %s address, which %s needs", family(ip), ip))
			continue
		}
		if err := route(w.uplink, local, ip); err != nil {
			w.bar(err)
			continue
		}
		w.paths = append(w.paths, transport.Path{
			Uplink: w.uplink.Name, ID: w.uplink.ID, Interface: w.uplink.Interface,
			Local: local, Remote: netip.AddrPortFrom(ip, port),
			Backup: w.uplink.Backup, Carrier: "plain",
		})
	}
}

// routeOf is Source.Route.
type routeOf = func(u Uplink, local, remote netip.Addr) error

func (w *way) bar(err error) {
	if w.barred == nil {
		w.barred = err
	}
}

// remotes lists the server's addresses in the order of the configuration, each once. The one that authenticated last
// stays even when its name no longer has it: names with many addresses answer with some of them at a time, and a
// subflow that works is not to lose its path over that.
func (w *way) remotes(ts []target, borrowed map[string][]netip.Addr) []netip.Addr {
	var out []netip.Addr
	add := func(ip netip.Addr) {
		if !slices.Contains(out, ip) {
			out = append(out, ip)
		}
	}
	for _, t := range ts {
		if t.ip.IsValid() {
			add(t.ip)
			continue
		}
		ips := w.answer(t.name).addrs
		if len(ips) == 0 {
			ips = borrowed[t.name]
		}
		for _, ip := range alternate(ips, w.uplink) {
			add(ip)
		}
	}
	if best, ok := w.order.best(); ok {
		add(best)
	}
	return out
}

// alternate orders the addresses of one name so that a family that does not work costs one attempt only, IPv6 first
// where the uplink has a global address of it (RFC 8305 §4, RFC 6724 §5).
func alternate(ips []netip.Addr, u Uplink) []netip.Addr {
	var v4, v6 []netip.Addr
	for _, ip := range ips {
		if ip.Is4() {
			v4 = append(v4, ip)
		} else {
			v6 = append(v6, ip)
		}
	}
	one, two := v6, v4
	if len(v6) > 0 {
		if local := localFor(u, v6[0]); !local.IsValid() || local.IsPrivate() != v6[0].IsPrivate() {
			one, two = v4, v6
		}
	}
	out := make([]netip.Addr, 0, len(ips))
	for i := range max(len(one), len(two)) {
		if i < len(one) {
			out = append(out, one[i])
		}
		if i < len(two) {
			out = append(out, two[i])
		}
	}
	return out
}

// report takes in how an attempt over one of the paths went. It says whether every path has failed since the last
// success.
func (w *way) report(p transport.Path, err error) (exhausted bool) {
	i := slices.IndexFunc(w.paths, func(q transport.Path) bool { return q.Remote == p.Remote && q.Local == p.Local })
	if i < 0 {
		return false // the path is gone: the report says nothing about what there is now
	}
	if err == nil {
		w.working, w.err, w.streak = true, nil, 0
		w.order.succeeded(p.Remote.Addr())
		return false
	}
	w.working, w.err = false, fmt.Errorf("%s: %w", p.Remote, err)
	w.streak++
	w.order.failed(p.Remote.Addr())
	return w.streak%len(w.paths) == 0
}

// status is the uplink as the status API shows it.
func (w *way) status(ts []target) Uplink {
	u := w.uplink
	if !u.Usable() {
		return u
	}
	unresolved := w.unresolved(ts)
	switch {
	case w.working:
		u.State, u.Reason = StateUp, ""
		if unresolved != nil {
			u.Reason = unresolved.Error() + "; the last good addresses are used"
		}
		return u
	case w.err != nil:
		u.Reason = w.err.Error()
	case len(w.paths) > 0:
		u.Reason = "no server address has answered yet"
	case unresolved != nil:
		u.Reason = unresolved.Error()
	case w.barred != nil:
		u.State, u.Reason = StateWaiting, w.barred.Error()
		return u
	default:
		u.Reason = "the server's name is being resolved"
	}
	u.State = StateConnecting
	return u
}

// unresolved is why a name could not be resolved over this uplink; nil: none failed.
func (w *way) unresolved(ts []target) error {
	for _, t := range ts {
		if a := w.answers[t.name]; !t.ip.IsValid() && a != nil && a.err != nil {
			return fmt.Errorf("server name %s: %w", t.name, a.err)
		}
	}
	return nil
}

func family(ip netip.Addr) string {
	if ip.Is4() {
		return "IPv4"
	}
	return "IPv6"
}
