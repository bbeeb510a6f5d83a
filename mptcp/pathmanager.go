package mptcp

import (
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"hawser/transport"
	"hawser/transport/wire"
)

// PathSource knows the ways to the peer. It is safe for concurrent use; transport/uplink implements it.
type PathSource interface {
	// Paths returns every usable way now; ways of the same uplink (the same ID) stand in the order in which they are
	// to be tried.
	Paths() []transport.Path
	// Watch calls changed, from any goroutine, whenever Paths may have changed. changed does not block.
	Watch(changed func()) (stop func())
	// Report says that the peer proved itself at p's remote address (nil), or why it could not be reached there.
	Report(p transport.Path, err error)
}

// Times of the path manager.
const (
	retryWait    = time.Second            // between tries, ± 20 %
	retryLong    = 10 * time.Second       // between tries of an uplink that has failed for retryPatience
	refusedMax   = 30 * time.Second       // ceiling of the back-off after explicit refusals
	raceStagger  = 250 * time.Millisecond // between first handshakes on the same uplink (RFC 8305 §5)
	backupDelay  = 300 * time.Millisecond // that a first handshake over a backup uplink waits for the others
	jitterShare  = 0.2
	retryPatient = 10 * time.Minute
)

// What a path source is told of a way that led nowhere.
var (
	errUnreached = errors.New("no answer")
	errUnproved  = errors.New("what answered there did not prove to be the server")
)

// action is what the path manager wants done; the loop does it.
type action struct {
	open    bool // open a subflow over path
	path    transport.Path
	initial bool
	drop    *subflow // end this subflow: its uplink or address is gone
}

// attempt is what the path manager remembers of one uplink.
type attempt struct {
	next    time.Time // not before
	since   time.Time // of the first failure in a row; zero: none
	refused int       // explicit refusals in a row
	tried   int       // candidates tried in the race of first handshakes
}

// pathManager decides which subflows a client's connection should have: one over every uplink. It decides and does
// nothing itself; plan is a pure function of its state and its arguments. Owned by the loop.
type pathManager struct {
	source   PathSource
	ways     []transport.Path // what source said last
	stale    atomic.Bool      // source may have more to say; set from any goroutine
	attempts map[uint8]*attempt
	jitter   func() float64 // 0–1
	started  time.Time
	noRejoin bool
	unproved *unproved // shared by the connections of a Dialer
	deadline time.Time // when plan has something new to say
}

func newPathManager(source PathSource, now time.Time) *pathManager {
	m := &pathManager{
		source: source, attempts: make(map[uint8]*attempt), jitter: rand.Float64, started: now, unproved: &unproved{},
	}
	m.stale.Store(true)
	return m
}

// current is what the source says now. It is asked only after it has changed: its answer is a copy, and this is part of
// every turn.
func (m *pathManager) current() []transport.Path {
	if m.stale.Swap(false) {
		m.ways = m.source.Paths()
	}
	return m.ways
}

func (m *pathManager) attempt(id uint8) *attempt {
	a := m.attempts[id]
	if a == nil {
		a = &attempt{}
		m.attempts[id] = a
	}
	return a
}

// plan compares what there is with what there should be.
func (m *pathManager) plan(now time.Time, paths []transport.Path, subs []*subflow, racing bool) (todo []action) {
	m.deadline = time.Time{}
	for _, s := range subs {
		if !covered(s, paths) {
			todo = append(todo, action{drop: s})
		}
	}
	for i := 0; i < len(paths); {
		n := i + 1
		for n < len(paths) && paths[n].ID == paths[i].ID {
			n++
		}
		enter := m.started
		if racing {
			enter = enter.Add(m.unproved.delay(paths[i].ID, paths))
		}
		todo = m.planUplink(now, enter, paths[i:n], subs, racing, todo)
		i = n
	}
	return todo
}

// planUplink decides for one uplink; ways are its candidates, enter is when it may enter the race of first handshakes.
func (m *pathManager) planUplink(now, enter time.Time, ways []transport.Path, subs []*subflow, racing bool, todo []action) []action {
	a := m.attempt(ways[0].ID)
	live := 0
	for _, s := range subs {
		if s.path.ID == ways[0].ID && covered(s, ways) {
			live++
		}
	}
	next := latest(a.next, enter)
	if racing && ways[0].Backup {
		next = latest(next, enter.Add(backupDelay))
	}
	switch {
	case m.noRejoin && !racing && (a.tried > 0 || live > 0):
		return todo
	case live > 0 && !(racing && a.tried < len(ways)):
		return todo
	case now.Before(next):
		m.deadline = earliest(m.deadline, next)
		return todo
	}
	way := ways[0]
	if racing {
		way = ways[a.tried%len(ways)]
		a.next = now.Add(raceStagger)
		m.deadline = earliest(m.deadline, a.next)
	}
	a.tried++
	return append(todo, action{open: true, path: way, initial: racing})
}

// covered reports whether one of the ways is what the subflow goes by: the same uplink, device and source address.
func covered(s *subflow, ways []transport.Path) bool {
	for i := range ways {
		w := &ways[i]
		if w.ID == s.path.ID && w.Interface == s.path.Interface &&
			(w.Local == s.path.Local || w.Remote.Addr().Is4() != s.path.Remote.Addr().Is4()) {
			return true
		}
	}
	return false
}

// failed notes that a subflow is no more. One that had worked is dialled anew at once.
func (m *pathManager) failed(now time.Time, s *subflow, worked bool) {
	a := m.attempt(s.path.ID)
	if worked {
		a.next, a.since = now, time.Time{}
		return
	}
	if a.since.IsZero() {
		a.since = now
	}
	err := errUnreached
	if s.reason != "" {
		err = errors.New(s.reason)
	}
	m.source.Report(s.path, err)
	wait := retryWait
	if now.Sub(a.since) > retryPatient {
		wait = retryLong
	}
	if a.refused > 0 {
		wait = min(refusedMax, retryWait<<min(a.refused, 5))
	}
	spread := 1 + jitterShare*(2*m.jitter()-1)
	a.next = latest(a.next, now.Add(time.Duration(float64(wait)*spread)))
}

// refused notes that the peer said no: the next try comes later each time.
func (m *pathManager) refused(s *subflow, reason wire.ResetReason) {
	if reason == wire.ResetProhibited || reason == wire.ResetProtocol || reason == wire.ResetResources {
		m.attempt(s.path.ID).refused++
	}
}

// worked notes that a subflow is established.
func (m *pathManager) worked(s *subflow) {
	a := m.attempt(s.path.ID)
	a.since, a.refused = time.Time{}, 0
	if !s.initial {
		m.source.Report(s.path, nil) // the HMAC proved the server
	}
}

// authenticated notes that the TLS session over the first subflow proved the server: the race is over, and the other
// uplinks join at once.
func (m *pathManager) authenticated(s *subflow) {
	m.source.Report(s.path, nil)
	m.unproved.note(s.path.ID, true)
	for _, a := range m.attempts {
		a.next, a.tried = time.Time{}, 0
	}
}

// impostor notes that what answered over a way first did not prove to be the server.
func (m *pathManager) impostor(p transport.Path) {
	m.unproved.note(p.ID, false)
	m.source.Report(p, errUnproved)
}

// managePaths does what the path manager wants.
func (k *core) managePaths(now time.Time) {
	if k.paths == nil || k.state == connEnded || k.state == ConnClosing {
		return
	}
	racing := k.state == ConnConnecting
	if k.knowRemote && !k.trusted {
		return // between the first handshake and the welcome: one subflow, no joins
	}
	for _, a := range k.paths.plan(now, k.announcedPaths(k.paths.current()), k.subs, racing) {
		switch {
		case a.drop != nil:
			k.withdraw(a.drop)
			k.drop(now, a.drop, wire.ResetUnspecified, "the uplink or its address is gone")
			k.mayHaveArrived(now)
		case len(k.subs) < maxSubflows:
			k.open(now, a.path, a.initial)
		}
	}
}
