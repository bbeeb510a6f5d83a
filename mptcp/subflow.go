package mptcp

import (
	"time"

	"hawser/transport"
	"hawser/transport/uplink"
	"hawser/transport/wire"
)

// phase is how far a subflow has come.
type phase uint8

const (
	phaseConnecting phase = iota // the carrier dials
	phaseHandshake               // MP_CAPABLE or MP_JOIN under way
	phaseActive
	phaseClosing // half-closed by us after the end of the stream
	phaseDead
)

// subflow is what a connection knows of one of its subflows. Owned by the loop.
type subflow struct {
	id       int
	path     transport.Path
	addrID   uint8 // the client's address id of its uplink
	initial  bool  // MP_CAPABLE; otherwise MP_JOIN
	verified bool  // client: the server's HMAC was right
	known    bool  // the peer has proved who it is: by TLS, or by the HMAC of a join
	carrier  transport.Subflow
	phase    phase
	expires  time.Time // of the handshake
	reason   string

	nonce, peerNonce uint32
	authenticated    func() // tells the listener; nil on a client
	backup           bool   // we prefer others (configuration)
	peerBackup       bool   // the peer does (B flag, MP_PRIO)

	entry    *uplink.Entry
	key      uplink.Key
	stop     func() // ends the board's watch
	rtt      rttEstimator
	sent     uint64 // payload bytes given to the carrier
	acked    uint64 // payload bytes that the peer's carrier has received
	ranges   rangeQueue
	progress time.Time // when acked last grew, or something was put in flight first
	asked    time.Time // when the outstanding probe left; zero: none
	suspect  bool
	signal   time.Time // when the handshake's last message left, to time the answer
	inFlight int
	beyond   int // of inFlight, as last told to the board: arrived beyond a hole

	bytesIn     uint64
	reinjected  uint64 // ranges of this subflow that were sent again on others
	segments    uint64 // as last told to the board
	retransmits uint64
}

// state is the snapshot name of the status API.
func (s *subflow) state() SubflowState {
	switch {
	case s.phase == phaseConnecting:
		return StateConnecting
	case s.phase == phaseHandshake:
		return StateJoining
	case s.phase == phaseDead:
		return StateDead
	case s.suspect:
		return StateSuspect
	case s.isBackup():
		return StateBackup
	}
	return StateActive
}

// works reports whether acknowledgements can travel on the subflow.
func (s *subflow) works() bool { return s.phase == phaseActive || s.phase == phaseClosing }

func (s *subflow) isBackup() bool { return s.backup || s.peerBackup }

// sentRange is a run of data that the subflow has been given and the peer's carrier has not acknowledged. It holds a
// reference on its chunk until the carrier needs the memory no more.
type sentRange struct {
	dsn    uint64
	n      int
	end    uint64 // the subflow's payload offset after it
	mark   uplink.Mark
	c      *chunk // nil once the carrier has written it
	copied bool   // queued to be sent again on another subflow
}

// rangeQueue is a queue of sent ranges in the order of the subflow.
type rangeQueue struct {
	q       []sentRange
	first   int
	written int // index of the first range that still pins its chunk
}

func (q *rangeQueue) push(r sentRange) {
	if q.first > 64 && q.first*2 > len(q.q) {
		n := copy(q.q, q.q[q.first:])
		clear(q.q[n:])
		q.q, q.written, q.first = q.q[:n], q.written-q.first, 0
	}
	q.q = append(q.q, r)
}

func (q *rangeQueue) live() []sentRange { return q.q[q.first:] }

// release unpins everything up to the subflow's payload offset written.
func (q *rangeQueue) release(written uint64) {
	q.written = max(q.written, q.first)
	for q.written < len(q.q) && q.q[q.written].end <= written {
		if r := &q.q[q.written]; r.c != nil {
			r.c.release()
			r.c = nil
		}
		q.written++
	}
}

// pop drops the ranges that end at or before the subflow's payload offset acked and returns the mark of the newest.
func (q *rangeQueue) pop(acked uint64) (m uplink.Mark, ok bool) {
	q.release(acked)
	for q.first < len(q.q) && q.q[q.first].end <= acked {
		m, ok = q.q[q.first].mark, true
		q.first++
	}
	return m, ok
}

// drop unpins and forgets everything.
func (q *rangeQueue) drop() {
	for i := range q.live() {
		if r := &q.live()[i]; r.c != nil {
			r.c.release()
		}
	}
	*q = rangeQueue{}
}

// send gives the carrier a prefix of b with the data sequence number dsn, and books it; it returns the bytes taken.
func (s *subflow) send(now time.Time, dsn uint64, sp span) int {
	n := s.carrier.Send(wire.Mapping{DSN: dsn}, sp.b)
	if n <= 0 {
		return 0
	}
	if s.inFlight == 0 && s.asked.IsZero() {
		s.progress = now
	}
	sp.c.retain()
	s.sent += uint64(n)
	s.inFlight += n
	s.ranges.push(sentRange{dsn: dsn, n: n, end: s.sent, mark: s.entry.Sent(now, n), c: sp.c})
	return n
}
