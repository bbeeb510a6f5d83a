package uplink

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"hawser/transport"
)

// Source is what Targets asks about uplinks. *Set is the real one.
type Source interface {
	Uplinks() []Uplink
	Watch(changed func()) (stop func())
	Route(u Uplink, local, remote netip.Addr) error
}

// TargetsConfig says what the server is.
type TargetsConfig struct {
	Addresses []string // names or addresses, all of one server, in the order of preference
	PlainPort uint16   // of the plain carrier
	// Lookup resolves a name through an uplink; nil: the function Lookup.
	Lookup func(ctx context.Context, u Uplink, network, host string) ([]netip.Addr, error)
	// Changed is told of every uplink whose status differs, for logs; nil: nobody. It must not call back.
	Changed func(Uplink)
}

// Targets is the live list of the ways to the server: uplinks × server addresses. Run keeps it up to date; the other
// methods may be called from any goroutine.
type Targets struct {
	src      Source
	cfg      TargetsConfig
	targets  []target
	watchers watchers
	wake     chan struct{} // a lookup may be due

	mu      sync.Mutex // guards what follows
	ways    map[uint8]*way
	paths   []transport.Path
	uplinks []Uplink
}

// NewTargets makes the list. Paths to literal addresses are there at once, others after Run has resolved the names.
func NewTargets(src Source, cfg TargetsConfig) *Targets {
	if cfg.Lookup == nil {
		cfg.Lookup = Lookup
	}
	if cfg.Changed == nil {
		cfg.Changed = func(Uplink) {}
	}
	t := &Targets{src: src, cfg: cfg, wake: make(chan struct{}, 1), ways: make(map[uint8]*way)}
	for _, name := range cfg.Addresses {
		ip, err := netip.ParseAddr(name)
		if err != nil {
			ip = netip.Addr{} // a name
		}
		t.targets = append(t.targets, target{name: name, ip: ip.Unmap()})
	}
	t.update()
	return t
}

// Run follows the uplinks and resolves the server's names through each until ctx ends, and returns ctx's error.
func (t *Targets) Run(ctx context.Context) error {
	var lookups sync.WaitGroup
	defer lookups.Wait()
	defer t.src.Watch(t.update)()
	t.update()
	for {
		next := time.NewTimer(time.Until(t.ask(ctx, &lookups)))
		select {
		case <-ctx.Done():
			next.Stop()
			return ctx.Err()
		case <-next.C:
		case <-t.wake:
			next.Stop()
		}
	}
}

// Paths lists every usable way now, grouped by uplink (same ID) in the order of the uplinks, the best of each first.
// An address that comes or goes shows as another Local.
func (t *Targets) Paths() []transport.Path {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.paths)
}

// Uplinks lists every uplink with its state as far as addresses, names, routes and reports tell.
func (t *Targets) Uplinks() []Uplink {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.uplinks)
}

// Watch has changed called after every change of Paths, from any goroutine, one that calls Report included. It must be
// quick. One more call may be under way when stop returns.
func (t *Targets) Watch(changed func()) (stop func()) { return t.watchers.add(changed) }

// Report tells how an attempt over p went. nil: the server has authenticated there, so that address comes first for
// that uplink. An error moves it behind the others; when all have failed the names are resolved again.
func (t *Targets) Report(p transport.Path, err error) {
	t.mu.Lock()
	w := t.ways[p.ID]
	if w != nil && w.report(p, err) {
		for _, a := range w.answers {
			a.doubt()
		}
	}
	t.mu.Unlock()
	if w != nil {
		t.update()
	}
}

// update works out paths and states from what is known, and tells of the differences.
func (t *Targets) update() {
	t.mu.Lock()
	paths, uplinks := t.paths, t.uplinks
	t.paths, t.uplinks = nil, nil
	here := t.src.Uplinks()
	t.follow(here)
	borrowed := t.borrowed()
	for _, u := range here {
		w := t.ways[u.ID]
		w.build(t.targets, t.cfg.PlainPort, borrowed, t.src.Route)
		t.paths = append(t.paths, w.paths...)
		t.uplinks = append(t.uplinks, w.status(t.targets))
	}
	news := changes(uplinks, t.uplinks)
	differ := !slices.Equal(paths, t.paths)
	t.mu.Unlock()

	t.nudge()
	for _, u := range news {
		t.cfg.Changed(u)
	}
	if differ {
		t.watchers.call()
	}
}

// follow hands every way the new snapshot of its uplink. Uplinks that are gone keep what was known, and are unusable.
func (t *Targets) follow(here []Uplink) {
	for _, u := range here {
		if w := t.ways[u.ID]; w == nil {
			t.ways[u.ID] = &way{uplink: u}
		} else {
			w.follow(u)
		}
	}
	for id, w := range t.ways {
		if !slices.ContainsFunc(here, func(u Uplink) bool { return u.ID == id }) {
			w.follow(Uplink{})
		}
	}
}

// borrowed collects what any uplink knows of each name.
func (t *Targets) borrowed() map[string][]netip.Addr {
	all := make(map[string][]netip.Addr)
	for _, w := range t.ways {
		for name, a := range w.answers {
			for _, ip := range a.addrs {
				if !slices.Contains(all[name], ip) {
					all[name] = append(all[name], ip)
				}
			}
		}
	}
	for _, ips := range all {
		slices.SortFunc(ips, netip.Addr.Compare)
	}
	return all
}

func (t *Targets) nudge() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}
