package plain

import (
	"container/list"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"

	"hawser/transport"
	"hawser/transport/wire"
)

// firstBytes is all that a stranger may send first: preface and one OPTIONS record.
const firstBytes = prefaceLen + headerLen + earlyOptions

// stranger is a connection whose peer has not proved who it is. Until it is attached its goroutine owns the socket.
type stranger struct {
	sock     Socket
	remote   netip.AddrPort
	listener *Listener

	key      netip.Prefix // these five: under the table's lock
	source   *queues
	kind     kind
	inAll    *list.Element // in the table's queue and in the source's; nil: not counted any more
	inSource *list.Element
	gone     chan struct{} // closed by evict

	once     sync.Once
	attached atomic.Bool
	subflow  atomic.Pointer[Subflow] // for authenticated
	in       [firstBytes]byte
	n        int // bytes in in
	used     int // of them, by preface and first record
}

// greet reads preface and first record, and offers the connection to Accept.
func (st *stranger) greet() {
	options, err := st.first()
	t := st.listener.table
	if err != nil {
		select {
		case <-st.gone: // evicted, and counted as that
		default:
			t.count(counterOf(err))
		}
		st.refuse(err)
		return
	}
	_ = st.sock.SetReadTimeout(0)
	if !t.promote(st) || !st.listener.offer(st, options) {
		st.end()
	}
}

// first waits for the options of the first record.
func (st *stranger) first() ([]wire.Option, error) {
	for {
		n, err := st.sock.TryRead(st.in[st.n:])
		if errors.Is(err, ErrAgain) {
			if err = st.sock.WaitReadable(); err == nil {
				continue
			}
		}
		if err != nil {
			return nil, err
		}
		st.n += n
		if options, used, err := parseFirst(st.in[:st.n]); used > 0 || err != nil {
			st.used = used
			return options, err
		}
	}
}

// parseFirst takes preface and first record; used is 0 while b is too short.
func parseFirst(b []byte) (options []wire.Option, used int, err error) {
	var f framer
	records, used, _, err := f.parse(b, nil, nil, 1)
	if err != nil || len(records) == 0 {
		return nil, 0, err
	}
	if len(records[0].Options) == 0 {
		return nil, 0, misused("the first record has no option that is known")
	}
	return records[0].Options, used, nil
}

// counterOf tells which counter an error of the first bytes belongs to.
func counterOf(err error) func(*Stats) *uint64 {
	var v *violation
	switch {
	case errors.Is(err, ErrNotHawser):
		return func(s *Stats) *uint64 { return &s.NotHawser }
	case errors.Is(err, ErrVersion):
		return func(s *Stats) *uint64 { return &s.Version }
	case errors.As(err, &v):
		return func(s *Stats) *uint64 { return &s.Malformed }
	}
	return func(s *Stats) *uint64 { return &s.Silent }
}

// refuse answers a bad start: nothing to whoever does not speak our language, our version to whoever speaks another,
// the reason to whoever broke the rules (protocol.md §1.1, §1.2).
func (st *stranger) refuse(err error) {
	var v *violation
	switch {
	case errors.Is(err, ErrVersion):
		st.say(appendPreface(nil, preface{Major, Minor}))
	case errors.As(err, &v):
		st.say(resetMessage(v.reason))
	default:
		st.end()
	}
}

// resetMessage is all that a server says when it refuses: preface and MP_TCPRST.
func resetMessage(reason wire.ResetReason) []byte {
	b := appendPreface(nil, preface{Major, Minor})
	return unsealed.appendRecord(b, typeOptions, wire.MPTCPRst{Reason: reason}.Append(nil))
}

// say sends a last word, waits a moment until the peer has taken it, and ends the connection.
func (st *stranger) say(b []byte) {
	n, err := st.sock.TryWrite([][]byte{b})
	if err == nil && n == len(b) && st.sock.CloseWrite() == nil {
		_ = st.sock.SetReadTimeout(lingerTime)
		r := reader{sock: st.sock}
		if r.drain() {
			_ = st.sock.Close()
		}
	}
	st.end()
}

// end closes the connection and stops counting it.
func (st *stranger) end() {
	_ = st.sock.Reset()
	st.listener.table.leave(st)
}

// evict ends the connection in favour of another; any goroutine. Whoever owns it finds its socket closed.
func (st *stranger) evict() {
	st.once.Do(func() { close(st.gone) })
	_ = st.sock.Reset()
}

// attach is Incoming.Attach.
func (st *stranger) attach(post transport.Post) transport.Subflow {
	if st.attached.Swap(true) {
		panic("BUG: plain: incoming subflow attached or rejected twice")
	}
	s := newSubflow(fmt.Sprint("peer ", st.remote), post)
	st.subflow.Store(s)
	early := append([]byte(nil), st.in[st.used:st.n]...)
	s.start(st.sock, framer{preface: true}, early, func() { st.listener.table.leave(st) })
	return s
}

// authenticated is Incoming.Authenticated.
func (st *stranger) authenticated() {
	st.listener.table.trust(st)
	if s := st.subflow.Load(); s != nil {
		s.sh.trusted.Store(true)
	}
}

// reject is Incoming.Reject.
func (st *stranger) reject(reason wire.ResetReason) {
	if st.attached.Swap(true) {
		panic("BUG: plain: incoming subflow attached or rejected twice")
	}
	go st.say(resetMessage(reason))
}
