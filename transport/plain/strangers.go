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

// kind is how far a stranger has come.
type kind uint8

const (
	silent kind = iota // no valid first record yet
	heard
	kinds
)

// fairShare is how many strangers a source may have, as a part of the bound of one source, before it is taken for part
// of a flood: the sessions that a client establishes at the same time, and their joins, are no flood.
const fairShare = 8

// strangers bounds the connections that have not been authenticated, in all and for each source.
//
// When a bound is reached the new connection comes in and an old one goes: an honest client needs only a round trip or
// two, whereas whoever floods wants its connections to stay. At the bound of one source, one of that source goes. At the
// bound of all it is one of the source that has most, so that a flood from one source evicts itself; but where no source
// has more than a client may need, as in a flood from thousands of sources, it is one of all: what an honest client has
// in hand at the same time must not make it the first to go. The one to go is the oldest of its kind, and of the kind of
// which there are more: neither those that say nothing nor those that say the first word can push out the others, and
// an honest client has, of either kind, the time in which half of the table is filled anew.
type strangers struct {
	max, perSource, fair int

	mu      sync.Mutex
	all     queues
	sources map[netip.Prefix]*queues
	crowds  map[*queues]struct{} // the sources that have more than fair
	stats   Stats
	closed  bool
}

// queues is strangers by kind, oldest first.
type queues [kinds]list.List

func (q *queues) len() int { return q[silent].Len() + q[heard].Len() }

// victim is the stranger to evict; there is one.
func (q *queues) victim() *stranger {
	k := silent
	if q[heard].Len() > q[silent].Len() {
		k = heard
	}
	return q[k].Front().Value.(*stranger)
}

func newStrangers(max, perSource int) *strangers {
	perSource = min(perSource, max)
	return &strangers{
		max: max, perSource: perSource, fair: perSource / fairShare,
		sources: make(map[netip.Prefix]*queues), crowds: make(map[*queues]struct{}),
	}
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
		evicted = src.victim()
		t.stats.EvictedSource++
	} else if t.stats.Open >= t.max {
		evicted = t.victim()
	}
	if evicted != nil {
		t.remove(evicted)
	}
	src := t.sources[key]
	if src == nil {
		src = new(queues)
		t.sources[key] = src
	}
	st.gone = make(chan struct{})
	st.key, st.source = key, src
	t.enqueue(st, silent)
	t.stats.Open++
	return evicted, true
}

// victim is the stranger that makes room for one of another source; there is one.
func (t *strangers) victim() *stranger {
	t.stats.EvictedTotal++
	most := &t.all
	for src := range t.crowds {
		if most == &t.all || src.len() > most.len() {
			most = src
		}
	}
	return most.victim()
}

// enqueue makes st the newest of a kind, among all and in its source.
func (t *strangers) enqueue(st *stranger, k kind) {
	st.kind = k
	st.inAll, st.inSource = t.all[k].PushBack(st), st.source[k].PushBack(st)
	if st.source.len() > t.fair {
		t.crowds[st.source] = struct{}{}
	}
}

// dequeue undoes enqueue.
func (t *strangers) dequeue(st *stranger) {
	t.all[st.kind].Remove(st.inAll)
	st.source[st.kind].Remove(st.inSource)
	st.inAll, st.inSource = nil, nil
	if st.source.len() <= t.fair {
		delete(t.crowds, st.source)
	}
}

// remove takes st out of the table, if it is in; t.mu is held.
func (t *strangers) remove(st *stranger) bool {
	if st.inAll == nil {
		return false
	}
	t.dequeue(st)
	if st.source.len() == 0 {
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
	if st.inAll == nil {
		return false
	}
	t.stats.Offered++
	t.dequeue(st)
	t.enqueue(st, heard)
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
		evicted = t.victim()
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
	for k := range t.all {
		for e := t.all[k].Front(); e != nil; e = e.Next() {
			if st := e.Value.(*stranger); !st.attached.Load() {
				all = append(all, st)
			}
		}
	}
	t.mu.Unlock()
	for _, st := range all {
		st.evict()
	}
}
