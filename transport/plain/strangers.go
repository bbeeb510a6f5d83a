package plain

import (
	"container/list"
	"net/netip"
	"sync"

	"hawser/transport/wire"
)

// Stats counts a listener's connections since it began.
type Stats struct {
	Open          int    // not authenticated now
	Accepted      uint64 // connections
	Offered       uint64 // whose first options were good
	Authenticated uint64
	NotHawser     uint64 // no preface
	Version       uint64 // another major version
	Malformed     uint64 // preface good, first record not
	Silent        uint64 // gone or timed out before the first record
	EvictedSource uint64 // to make room for another of the same source
	EvictedTotal  uint64 // to make room for any other, or for lack of descriptors
	AcceptErrors  uint64 // lack of descriptors or memory
}

// strangers bounds the connections that have not been authenticated, in all and for each source.
//
// When a bound is reached the new connection comes in and an old one goes: an honest client needs only a round trip or
// two, whereas whoever floods wants its connections to stay. The one to go is the oldest of the new one's own source
// or, at the bound of all, of the source that has most, so that a flood from one source evicts itself; and of those one
// that has sent nothing valid, if there is any.
type strangers struct {
	max, perSource int

	mu      sync.Mutex
	sources map[netip.Prefix]*source
	stats   Stats
	closed  bool
}

// source is the strangers of one source, oldest first.
type source struct {
	silent list.List // no valid first record yet
	heard  list.List
}

func (s *source) len() int { return s.silent.Len() + s.heard.Len() }

// oldest is the stranger to evict.
func (s *source) oldest() *stranger {
	e := s.silent.Front()
	if e == nil {
		e = s.heard.Front()
	}
	return e.Value.(*stranger)
}

func newStrangers(max, perSource int) *strangers {
	return &strangers{max: max, perSource: min(perSource, max), sources: make(map[netip.Prefix]*source)}
}

// add takes in a new connection; false after close.
func (t *strangers) add(st *stranger) bool {
	evicted, ok := t.insert(st)
	if evicted != nil {
		evicted.evict()
	}
	return ok
}

func (t *strangers) insert(st *stranger) (evicted *stranger, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, false
	}
	t.stats.Accepted++
	key := wire.SourceOf(st.remote.Addr())
	if src := t.sources[key]; src != nil && src.len() >= t.perSource {
		evicted = src.oldest()
		t.stats.EvictedSource++
	} else if t.stats.Open >= t.max {
		evicted = t.largest().oldest()
		t.stats.EvictedTotal++
	}
	if evicted != nil {
		t.remove(evicted)
	}
	src := t.sources[key]
	if src == nil {
		src = new(source)
		t.sources[key] = src
	}
	st.gone = make(chan struct{})
	st.key, st.list = key, &src.silent
	st.elem = st.list.PushBack(st)
	t.stats.Open++
	return evicted, true
}

// largest is the source with most strangers; there is one.
func (t *strangers) largest() (most *source) {
	for _, s := range t.sources {
		if most == nil || s.len() > most.len() {
			most = s
		}
	}
	return most
}

// remove takes st out of the table, if it is in; t.mu is held.
func (t *strangers) remove(st *stranger) bool {
	if st.elem == nil {
		return false
	}
	st.list.Remove(st.elem)
	st.elem = nil
	if src := t.sources[st.key]; src.len() == 0 {
		delete(t.sources, st.key)
	}
	t.stats.Open--
	return true
}

// leave takes st out because its connection has ended.
func (t *strangers) leave(st *stranger) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(st)
}

// promote notes that st has sent a valid first record; false when it was evicted meanwhile.
func (t *strangers) promote(st *stranger) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if st.elem == nil {
		return false
	}
	t.stats.Offered++
	st.list.Remove(st.elem)
	st.list = &t.sources[st.key].heard
	st.elem = st.list.PushBack(st)
	return true
}

// trust takes st out because the peer has proved who it is.
func (t *strangers) trust(st *stranger) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.remove(st) {
		t.stats.Authenticated++
	}
}

// acceptFailed counts, and makes room by one.
func (t *strangers) acceptFailed() {
	t.mu.Lock()
	t.stats.AcceptErrors++
	var evicted *stranger
	if t.stats.Open > 0 {
		evicted = t.largest().oldest()
		t.stats.EvictedTotal++
		t.remove(evicted)
	}
	t.mu.Unlock()
	if evicted != nil {
		evicted.evict()
	}
}

// count adds one to a counter of stats.
func (t *strangers) count(which func(*Stats) *uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*which(&t.stats)++
}

func (t *strangers) snapshot() Stats {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stats
}

// close evicts those that nobody has attached and takes in no more.
func (t *strangers) close() {
	t.mu.Lock()
	t.closed = true
	var all []*stranger
	for _, src := range t.sources {
		for _, l := range []*list.List{&src.silent, &src.heard} {
			for e := l.Front(); e != nil; e = e.Next() {
				if st := e.Value.(*stranger); !st.attached.Load() {
					all = append(all, st)
				}
			}
		}
	}
	t.mu.Unlock()
	for _, st := range all {
		st.evict()
	}
}
