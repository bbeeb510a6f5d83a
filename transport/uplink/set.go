package uplink

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Set is the live list of this machine's uplinks. Run keeps it up to date; the other methods may be called from any
// goroutine.
type Set struct {
	cfg      []Config
	changed  func(Uplink)
	watchers watchers

	mu      sync.Mutex // guards what follows
	ids     ids
	known   []string       // names that discovery has found, in the order of their ids
	index   map[int]string // name that each discovered link had in the last snapshot
	uplinks []Uplink
	route   routeCheck
}

// routeCheck asks the system whether a remote can be reached by a link (index 0: any) from a local address. An error
// says that it cannot, and why.
type routeCheck func(index int, local, remote netip.Addr) error

// observer is what a platform's monitor reports to.
type observer struct {
	routes   bool             // default routes and rules are wanted: uplinks are to be discovered
	check    func(routeCheck) // called once, before the first snapshot, when the platform can check routes
	deliver  func(snapshot)   // the network looks like this now
	rerouted func()           // some route has changed; the links are as before
}

// restartPause is the time between a monitor's failure (the system refuses a socket) and the next attempt.
const restartPause = time.Second

// NewSet makes the set of the uplinks that cfg names; with an empty cfg they are discovered. changed, which may be
// nil, is told of every uplink that appears or changes, for logs; it is called by Run.
func NewSet(cfg []Config, changed func(Uplink)) *Set {
	if changed == nil {
		changed = func(Uplink) {}
	}
	s := &Set{cfg: slices.Clone(cfg), changed: changed, index: make(map[int]string)}
	s.uplinks = s.numbered(plan(snapshot{}, s.cfg, nil))
	for i := range s.uplinks {
		if s.uplinks[i].State == StateWaiting {
			s.uplinks[i].Reason = "the interfaces have not been read yet"
		}
	}
	return s
}

// Run watches the machine's network until ctx ends, and returns ctx's error. Where watching fails it tries again
// every second; the uplinks say so meanwhile.
func (s *Set) Run(ctx context.Context) error {
	o := observer{routes: len(s.cfg) == 0, check: s.setRoute, deliver: s.apply, rerouted: s.watchers.call}
	for {
		err := monitor(ctx, o)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.fail(err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(restartPause):
		}
	}
}

// Uplinks lists every uplink, usable or not, in the order of the configuration or of discovery.
func (s *Set) Uplinks() []Uplink {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.uplinks)
}

// Watch has changed called whenever Uplinks or Route may answer differently. It is called by Run and holds up
// everything that follows, so it must be quick. One more call may be under way when stop returns.
func (s *Set) Watch(changed func()) (stop func()) { return s.watchers.add(changed) }

// Route says whether the system has a route from an uplink to remote; nil also where the platform cannot tell.
func (s *Set) Route(u Uplink, local, remote netip.Addr) error {
	s.mu.Lock()
	check := s.route
	s.mu.Unlock()
	if check == nil {
		return nil
	}
	return check(u.Index, local, remote)
}

func (s *Set) setRoute(check routeCheck) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.route = check
}

// apply plans anew and tells who wants to know.
func (s *Set) apply(now snapshot) {
	s.mu.Lock()
	if len(s.cfg) == 0 {
		s.follow(now)
	}
	s.replace(s.numbered(plan(now, s.cfg, s.known)))
}

// fail marks every uplink: without a monitor nothing is known to be down, so they stay usable.
func (s *Set) fail(err error) {
	s.mu.Lock()
	us := slices.Clone(s.uplinks)
	for i := range us {
		if !us[i].Usable() {
			us[i].Reason = "the interfaces cannot be watched: " + err.Error()
		}
	}
	s.replace(us)
}

// replace puts in a new list and reports the differences. It is called with the lock held and gives it back.
func (s *Set) replace(us []Uplink) {
	old := s.uplinks
	s.uplinks = us
	s.mu.Unlock()

	for _, u := range changes(old, us) {
		s.changed(u)
	}
	if !slices.EqualFunc(old, us, Uplink.equal) {
		s.watchers.call()
	}
}

// numbered gives the uplinks their ids, and remembers the discovered ones.
func (s *Set) numbered(us []Uplink) []Uplink {
	clear(s.index)
	for i := range us {
		u := &us[i]
		id, err := s.ids.of(u.Name)
		if err != nil {
			u.State, u.Reason, u.V4, u.V6 = StateDisabled, err.Error(), nil, nil
			continue
		}
		u.ID = id
		if len(s.cfg) == 0 {
			s.index[u.Index] = u.Name
			if !slices.Contains(s.known, u.Name) {
				s.known = append(s.known, u.Name)
			}
		}
	}
	return us
}

// follow carries the ids of discovered links that have been renamed over to their new names.
func (s *Set) follow(now snapshot) {
	for _, l := range now.links {
		old, ok := s.index[l.index]
		if !ok || old == l.name {
			continue
		}
		if _, still := now.byName(old); !still {
			s.ids.rename(old, l.name)
			if i := slices.Index(s.known, old); i >= 0 && !slices.Contains(s.known, l.name) {
				s.known[i] = l.name
			}
		}
	}
}
