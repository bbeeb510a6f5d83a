package tcp

import (
	"time"

	"hawser/cc"
	"hawser/transport/wire"
)

// instant is a time as the duration since the machine's epoch, one second before it was made; 0: never.
type instant = time.Duration

// A Machine is one TCP connection. Its owner is one goroutine.
type Machine struct {
	cfg   Config
	epoch time.Time
	wall  time.Time // the latest time that was handed in
	now   instant   // the same since epoch
	state State
	err   error // why the connection is over

	control cc.Controller // nil until the handshake is complete
	mtu     pathMTU
	peer    peer // what the handshake has agreed
	ts      timestamps

	// The stream that is sent. Offsets: 0 is the SYN, 1 the first byte, queue.end the FIN.
	iss    wire.Seq
	una    int64 // first one not acknowledged
	nxt    int64 // first one not sent
	fin    bool  // CloseWrite was called
	queue  sendQueue
	board  scoreboard
	window sendWindow
	rtt    rtt
	rto    retransmission
	rack   rack
	tlp    tlp
	frto   frto
	undo   undo
	rec    recovery
	rate   rateSampler
	pace   pacer
	hold   persist
	ecn    ecn
	seen   delivery // what the acknowledgement in hand has delivered

	// The stream that is received. Offsets as above.
	irs wire.Seq
	in  receiveQueue
	ack acknowledger
	buf receiveWindow

	syn       handshake
	challenge challenges
	keep      keepAlive
	resetAt   *resetSegment // a RST to be sent
	closeAt   instant       // end of TIME-WAIT, or of the wait for the peer's FIN
	orphanAt  instant       // when both sides of this end were closed; 0: they are not
	events    events
	stats     Stats
}

// newMachine makes a machine that is in no state yet.
func newMachine(cfg Config, now time.Time) (*Machine, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	m := &Machine{cfg: cfg, epoch: now.Add(-time.Second), wall: now, now: time.Second}
	if m.cfg.Clock.IsZero() {
		m.cfg.Clock = now
	}
	m.iss = initialSeq(&m.cfg.Secret, cfg.Local, cfg.Remote, steady(m.cfg.Clock, now))
	m.ts.offset = timestampOffset(&m.cfg.Secret, cfg.Local, cfg.Remote)
	m.queue.end, m.nxt = 1, 0
	m.mtu.init(&m.cfg)
	m.board.init()
	m.rto.init()
	m.in.init()
	m.buf.init(&m.cfg)
	m.keep.heard = m.now
	return m, nil
}

// Dial begins a connection from this side: the SYN leaves with the next Emit.
func Dial(cfg Config, now time.Time) (*Machine, error) {
	m, err := newMachine(cfg, now)
	if err != nil {
		return nil, err
	}
	m.state = SynSent
	m.beginHandshake()
	return m, nil
}

// clock takes the time. Times that go back count as the latest one.
func (m *Machine) clock(now time.Time) {
	if since := now.Sub(m.epoch); since > m.now {
		m.wall, m.now = now, since
	}
}

// Receive takes a segment of this connection in; at is when it was read. What it keeps of the payload it retains by
// s.Owner; the caller still gives up its own hold, and may reuse s. An error says why a segment was dropped or what it
// has ended, for counters; only ErrReuse asks for something to be done.
func (m *Machine) Receive(at time.Time, s *wire.Segment) error {
	m.clock(at)
	m.stats.Received++
	switch m.state {
	case Closed:
		return ErrClosed
	case SynSent:
		return m.receiveSynSent(s)
	}
	return m.receiveSynchronized(s)
}

// Advance acts on the timers that are due.
func (m *Machine) Advance(now time.Time) {
	m.clock(now)
	if m.state == Closed {
		return
	}
	m.ack.advance(m.now)
	m.advanceHandshake()
	m.advanceKeepAlive()
	m.advanceMTU()
	m.advanceRetransmission()
	if m.closeAt != 0 && m.now >= m.closeAt {
		m.finish(nil)
	}
}

// Deadline is when Advance and Emit want to be called at the latest; the zero time: no need. It is right after Emit
// has returned false.
func (m *Machine) Deadline() time.Time {
	if m.state == Closed {
		return time.Time{}
	}
	d := earliest(m.ack.at, m.syn.at)
	d = earliest(d, m.keepAliveAt())
	d = earliest(d, m.mtu.raiseAt)
	d = earliest(d, m.timer())
	d = earliest(d, m.pace.wakeAt)
	d = earliest(d, m.closeAt)
	if d == 0 {
		return time.Time{}
	}
	return m.epoch.Add(d)
}

// earliest is the earlier of two instants, of which 0 is none.
func earliest(a, b instant) instant {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// stopTimers ends everything that would still retransmit or probe.
func (m *Machine) stopTimers() {
	m.rto.at, m.rack.at, m.tlp.at, m.hold.at, m.syn.at, m.ack.at, m.pace.wakeAt, m.mtu.raiseAt = 0, 0, 0, 0, 0, 0, 0, 0
	m.tlp.due, m.hold.due, m.rto.due, m.syn.due = false, false, false, false
}

// finish ends the connection. After an orderly end, what was received stays to be read; after an error it is dropped,
// as "all segment queues should be flushed" (RFC 9293 §3.10.7.4).
func (m *Machine) finish(err error) {
	if m.state == Closed {
		return
	}
	m.state, m.err = Closed, err
	m.stopTimers()
	m.closeAt = 0
	m.queue.release(m.queue.end)
	m.board.clear()
	m.in.dropUnordered()
	if err != nil {
		m.in.dropReady()
	}
	m.buf.giveBack(&m.cfg)
	m.event(Event{Kind: EventClosed, Err: err})
}

// sendSeq is the sequence number of an offset of our stream.
func (m *Machine) sendSeq(off int64) wire.Seq { return m.iss.Add(int(off)) }

// sendOff is the offset that a number of our stream stands for: the one nearest to what is not acknowledged.
func (m *Machine) sendOff(s wire.Seq) int64 { return m.una + int64(s.Diff(m.sendSeq(m.una))) }

// EndsAt says whether seq is the number of the next byte that we shall send: a peer that has received all expects it.
func (m *Machine) EndsAt(seq wire.Seq) bool { return m.state >= Established && m.sendOff(seq) == m.nxt }

// recvOff and recvSeq do the same for the peer's stream.
func (m *Machine) recvOff(s wire.Seq) int64   { return m.in.nxt + int64(s.Diff(m.recvSeq(m.in.nxt))) }
func (m *Machine) recvSeq(off int64) wire.Seq { return m.irs.Add(int(off)) }
