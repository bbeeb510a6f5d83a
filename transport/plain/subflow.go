package plain

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"hawser/transport"
	"hawser/transport/wire"
)

const (
	// infoEvery is how often TCP_INFO is asked for, at most: it tells of a hole before anything else does, and costs a
	// fraction of a microsecond.
	infoEvery  = time.Millisecond
	lingerTime = time.Second // how long an aborted connection may take to tell its reason
)

// Subflow is one subflow on the plain carrier: transport.Subflow. The session's loop owns it; nothing here is locked.
type Subflow struct {
	peer   string // for errors
	post   transport.Post
	cancel context.CancelFunc // ends the dialling; nil on a server
	sh     *shared
	sock   Socket // nil while connecting
	status transport.Status
	events []transport.Event
	next   int // events[next:] are not polled yet

	out     outbox
	options []wire.Option // signalled, not in out yet
	limit   limit
	unsent  int  // as last asked
	granted bool // the socket was writable: room whatever unsent says
	parked  bool // a goroutine waits in WaitWritable
	stuck   bool // the socket did not take everything: nothing is tried before it is writable
	greet   bool // the preface is not in out yet
	ending  bool // Close was called
	ended   bool // our half-close is done
	fin     bool // the peer's half-close has arrived
	broken  error

	sent     uint64 // payload bytes accepted
	acked    uint64 // payload bytes that the peer's carrier has
	written  uint64 // bytes of the stream that the socket has taken
	hints    hints
	keys     transport.Keys // once sh.protection is set
	sealedAt uint64         // sent, when we began to seal
	receipt  receipt
	ping     probe
	wrote    time.Time // when the last write began
	padded   time.Time // when a pause last ended with more than a small segment
	carries  bool      // payload has come or gone since, or is expected
	pong     [probeLen]byte
	answer   bool // pong waits

	heard         time.Time
	info          Info
	infoAt        time.Time
	local, remote netip.AddrPort
	congestion    string
}

var _ transport.Subflow = (*Subflow)(nil)

func newSubflow(peer string, post transport.Post) *Subflow {
	return &Subflow{
		peer: peer, post: post, greet: true,
		sh:    &shared{done: make(chan struct{})},
		limit: limit{n: limitMin},
		hints: newHints(),
	}
}

// start puts the subflow on a connected socket; its reading goroutine begins with what early has brought.
func (s *Subflow) start(sock Socket, framer framer, early []byte, after func()) {
	s.sock, s.status = sock, transport.StatusOpen
	s.local, s.remote, s.congestion = sock.LocalAddr(), sock.RemoteAddr(), sock.Congestion()
	sock.SetLowat(s.limit.n)
	r := &reader{
		sock: sock, sh: s.sh, post: s.post, slots: make(chan struct{}, readAhead), after: after,
		framer: framer, mem: early, end: len(early),
	}
	go r.run()
}

// Handle takes in what a helper goroutine has posted.
func (s *Subflow) Handle(now time.Time, in transport.Input) {
	if s.status == transport.StatusClosed {
		in.Release()
		return
	}
	switch in := in.(type) {
	case *dialled:
		s.connected(now, in)
	case *batch:
		s.receive(in)
		in.Release()
	case writable:
		// Writable means room, whatever the count says: Linux before 4.20 wakes at twice the limit.
		s.parked, s.stuck, s.granted = false, false, true
		s.unsent = min(s.sock.Unsent(), s.limit.n)
	case roomy: // the turn that it makes is all that is wanted
	default:
		panic(fmt.Sprintf("BUG: plain: foreign input %T", in))
	}
}

func (s *Subflow) connected(now time.Time, d *dialled) {
	s.cancel()
	if d.err != nil {
		s.closed(d.err)
		return
	}
	s.heard = now
	s.sh.trusted.Store(true)
	s.start(d.sock, framer{client: true}, nil, nil)
	d.sock = nil
	s.event(transport.Event{Kind: transport.EventConnected})
}

// receive turns records into events; payloads pass to the events.
func (s *Subflow) receive(b *batch) {
	s.heard = b.at
	for i := range b.records {
		if b.records[i].Sealed {
			s.seal()
		}
		if err := s.record(b.at, &b.records[i]); err != nil {
			s.fail(err)
			return
		}
	}
	if s.unsent >= s.limit.n {
		s.unsent = s.sock.Unsent()
	}
	switch {
	case s.broken != nil && (b.fin || b.err != nil):
		s.closed(s.broken)
	case b.err != nil:
		s.fail(b.err)
	case b.fin:
		s.fin = true
		s.event(transport.Event{Kind: transport.EventFin})
		s.finish()
	}
}

func (s *Subflow) record(at time.Time, r *record) error {
	switch r.Type {
	case typeOptions:
		for _, o := range r.Options {
			if _, data := o.(wire.DSS); !data { // mappings and DATA_ACKs have records of their own
				s.event(transport.Event{Kind: transport.EventOption, Option: o, Sealed: r.Sealed})
			}
		}
	case typeData:
		s.receipt.add(at, len(r.Payload.B))
		s.carries = true
		s.event(transport.Event{Kind: transport.EventData, Map: r.Map, Data: r.Payload, Sealed: r.Sealed})
		r.Payload = transport.Payload{}
	case typeAck:
		return s.ack(at, &r.Ack, r.Sealed)
	case typePad:
		s.carries = true // the peer expects data to follow
	case typePing:
		s.pong, s.answer = r.Token, true
		s.receipt.now = true
	case typePong:
		if rtt, ok := s.ping.pong(at, r.Token); ok {
			s.event(transport.Event{Kind: transport.EventPong, Ack: transport.Ack{At: at, RTT: rtt}})
		}
	}
	return nil
}

func (s *Subflow) ack(at time.Time, a *ackRecord, sealed bool) error {
	if a.Offset > s.out.payloads || a.Offset < s.acked {
		return misused("acknowledgement of byte %d, between %d and %d expected", a.Offset, s.acked, s.out.payloads)
	}
	if !sealed && s.out.seal != nil && a.Offset > s.sealedAt {
		return altered("ACK record without a seal for what was sent with one")
	}
	s.acked = a.Offset
	if n := s.limit.acked(at, a.Offset); n > 0 {
		s.sock.SetLowat(n)
	}
	s.event(transport.Event{Kind: transport.EventAck, Ack: transport.Ack{
		At: at, Offset: a.Offset, Arrival: a.Arrival, Delay: time.Duration(a.Delay) * time.Microsecond,
	}})
	if sealed || s.out.seal == nil {
		s.event(transport.Event{Kind: transport.EventDataAck, DataAck: a.DataAck, Sealed: sealed})
	}
	return nil
}

// Advance acts on timers that are due, and looks at what the system knows.
func (s *Subflow) Advance(now time.Time) {
	s.receipt.advance(now)
	if s.status == transport.StatusOpen && s.broken == nil {
		s.poll(now)
	}
}

// Deadline is when an acknowledgement is due.
func (s *Subflow) Deadline() time.Time {
	if s.status != transport.StatusOpen || s.broken != nil || s.stuck || s.ended {
		return time.Time{}
	}
	return s.receipt.deadline()
}

func (s *Subflow) event(e transport.Event) { s.events = append(s.events, e) }

// Poll takes the next event.
func (s *Subflow) Poll() (transport.Event, bool) {
	if s.next == len(s.events) {
		s.events, s.next = s.events[:0], 0
		return transport.Event{}, false
	}
	e := s.events[s.next]
	s.events[s.next] = transport.Event{}
	s.next++
	return e, true
}

// fail ends the subflow for what the peer, the path or the local system did; the peer hears why where that helps.
func (s *Subflow) fail(err error) {
	var v *violation
	if errors.As(err, &v) {
		s.tell(wire.MPTCPRst{Reason: v.reason})
	}
	s.closed(err)
}

// Abort ends the subflow now.
func (s *Subflow) Abort(reason wire.ResetReason) {
	if s.status == transport.StatusClosed {
		return
	}
	if s.cancel != nil {
		s.cancel()
	}
	for ev, ok := s.Poll(); ok; ev, ok = s.Poll() { // what the owner no longer wants
		ev.Data.Release()
	}
	s.tell(wire.MPTCPRst{Reason: reason})
	s.closed(fmt.Errorf("given up by this side (%v)", reason))
}

// tell sends a last word, after what was signalled before. It reaches the peer unless the socket is stuck; then the
// connection is lingered for, so that bytes of the peer that are still under way do not turn it into a bare reset.
func (s *Subflow) tell(o wire.Option) {
	if s.sock == nil || s.stuck || s.broken != nil || s.ended {
		return
	}
	s.options = append(s.options, o)
	s.putOptions()
	bufs, size := s.out.batch(false)
	if n, err := s.sock.TryWrite(bufs); err != nil || n < size {
		return
	}
	if s.sock.CloseWrite() == nil {
		s.sh.linger.Store(true)
	}
}

// closed is the end of the subflow, whatever the reason.
func (s *Subflow) closed(err error) {
	if s.status == transport.StatusClosed {
		return
	}
	s.status = transport.StatusClosed
	s.out.drop()
	s.options = nil
	close(s.sh.done)
	if s.sock != nil {
		if s.sh.linger.Load() {
			_ = s.sock.SetReadTimeout(lingerTime)
		} else {
			_ = s.sock.Reset()
		}
	}
	if err != nil {
		err = fmt.Errorf("plain: %s: %w", s.peer, err)
	}
	s.event(transport.Event{Kind: transport.EventClosed, Err: err})
}

// finish ends the subflow in order once both directions are half-closed.
func (s *Subflow) finish() {
	if s.status == transport.StatusOpen && s.fin && s.ended {
		s.sh.linger.Store(true) // the peer has closed: draining ends at once, and nothing is cut off
		s.closed(nil)
	}
}

// brokenBy notes that writing failed. The reader may still have what the peer said before: then it ends the subflow.
func (s *Subflow) brokenBy(err error) error {
	if s.fin {
		s.closed(err)
		return err
	}
	s.broken = err
	s.out.drop()
	_ = s.sock.SetReadTimeout(lingerTime)
	return nil
}
