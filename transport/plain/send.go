package plain

import (
	"errors"
	"time"

	"hawser/transport"
	"hawser/transport/wire"
)

// Send takes a prefix of b as the next bytes of the subflow; -1 when it takes nothing now. See transport.Subflow.
//
// It also tells the reading goroutine that the subflow is established: only an owner who has accepted the handshake
// sends data.
func (s *Subflow) Send(m wire.Mapping, b []byte) int {
	room := s.room()
	if room == 0 {
		return -1
	}
	n := min(len(b), room, s.limit.chunk())
	if n == 0 && !m.Fin {
		return 0
	}
	s.establish()
	m.Len, m.Fin = uint16(n), m.Fin && n == len(b)
	m.SSN = uint32(s.sent + 1)
	if n == 0 {
		m.SSN = 0 // a lone DATA_FIN (RFC 8684 §3.3.3)
	}
	s.sent += uint64(n)
	s.carries = true
	s.out.stage(m, b[:n:n])
	return n
}

// room is the number of payload bytes that Send would take.
func (s *Subflow) room() int {
	if s.status != transport.StatusOpen || s.stuck || s.ending || s.broken != nil {
		return 0
	}
	if s.out.records() >= stagedRecords || s.unsent >= s.limit.n && !s.granted {
		return 0
	}
	return s.limit.room(s.unsent, s.out.staged)
}

// maxSignals is how many options may wait for the socket: many times what a session has to say, and a bound on what a
// peer can pin that asks for answers and does not read them.
const maxSignals = 256

// Signal queues an MPTCP option. A subflow on which too many wait is ended.
func (s *Subflow) Signal(o wire.Option) {
	switch {
	case s.status == transport.StatusClosed:
	case len(s.options) >= maxSignals:
		s.fail(misused("the peer asks for answers and does not read them: %d signals wait", maxSignals))
	default:
		s.options = append(s.options, o)
	}
}

// Ack sets what the next acknowledgement says. Its first call says that the subflow is established, as that of Send.
func (s *Subflow) Ack(a transport.DataAck, push bool) {
	s.establish()
	s.receipt.set, s.receipt.slot = true, a
	if push {
		s.receipt.now = true
	}
}

func (s *Subflow) establish() { s.sh.established.Store(true) }

// Probe asks the peer for a sign of life.
func (s *Subflow) Probe(_ time.Time, busy bool) {
	s.carries = s.carries || busy
	s.ping.ask()
}

// Close half-closes the subflow after everything that was sent, with the next Flush that leaves nothing behind.
func (s *Subflow) Close() { s.ending = true }

// SetPacing caps the rate at which the local system sends, bytes/s; 0: no cap. The error says that the system cannot.
func (s *Subflow) SetPacing(rate uint64) error {
	if s.status != transport.StatusOpen {
		return nil
	}
	return s.sock.SetPacing(rate)
}

// Flush puts everything that is due on the wire, as one gathered write. A connection that turns out to be broken is
// reported by EventClosed, after what the peer still had to say; the error is only for one that has nothing more.
func (s *Subflow) Flush(now time.Time) error {
	if s.status != transport.StatusOpen || s.broken != nil {
		return nil
	}
	if s.stuck || s.ended { // after our half-close nothing can be said, acknowledgements included
		return nil
	}
	s.putControl(now)
	s.pad(now)
	err := s.write()
	if err == nil {
		err = s.halfClose()
	}
	if err != nil {
		return s.brokenBy(err)
	}
	return nil
}

// write is the gathered write and what follows from it.
func (s *Subflow) write() error {
	bufs, size := s.out.batch(true)
	if size == 0 {
		return nil
	}
	fresh := s.out.records() > 0
	filled := fresh && s.room() < s.limit.n
	n, err := s.sock.TryWrite(bufs)
	if err != nil && !errors.Is(err, ErrAgain) {
		return err
	}
	s.written += uint64(n)
	s.out.taken(n)
	if s.stuck = n < size; !s.stuck && !fresh {
		return nil
	}
	s.granted = false
	s.unsent = s.sock.Unsent()
	switch {
	case s.stuck || s.unsent >= s.limit.n:
		s.park()
	case filled: // the system has sent it all: there is room again, and the loop must hear of it
		s.post(roomy{})
	}
	return nil
}

// park starts the goroutine that waits until the socket is writable. At most one runs.
func (s *Subflow) park() {
	if s.parked {
		return
	}
	s.parked = true
	go await(s.sock, s.sh, s.post)
}

func await(sock Socket, sh *shared, post transport.Post) {
	_ = sock.WaitWritable() // an error is met by the reader and by the next write as well
	select {
	case <-sh.done:
	default:
		post(writable{})
	}
}

// putControl makes records of what is to leave before data: preface, options, ACK, PONG, PING. They are made only when
// they can be written, so that an acknowledgement is as new as it can be.
func (s *Subflow) putControl(now time.Time) {
	s.putOptions()
	q := &s.out.control
	if s.receipt.due(s.out.records() > 0) {
		a := s.receipt.take(now)
		b, at := s.out.seal.open(*q, typeAck)
		*q = s.out.seal.close(appendAck(b, &a), at)
	}
	if s.answer {
		s.answer = false
		*q = s.out.seal.appendRecord(*q, typePong, s.pong[:])
	}
	if s.ping.due {
		s.ping.left(now)
		*q = s.out.seal.appendRecord(*q, typePing, s.ping.token[:])
	}
}

// putOptions makes OPTIONS records of what was signalled, none longer than a peer accepts during the handshake.
func (s *Subflow) putOptions() {
	s.out.catchUp()
	q := &s.out.control
	if s.greet {
		s.greet = false
		*q = appendPreface(*q, preface{Major, Minor})
	}
	for i := 0; i < len(s.options); {
		b, at := s.out.seal.open(*q, typeOptions)
		b, start := s.options[i].Append(b), len(b)
		alone := isJoin(s.options[i])
		for i++; i < len(s.options) && !alone && !isJoin(s.options[i]); i++ {
			mark := len(b)
			if b = s.options[i].Append(b); len(b)-start > earlyOptions {
				b = b[:mark]
				break
			}
		}
		*q = s.out.seal.close(b, at)
	}
	clear(s.options)
	s.options = s.options[:0]
}

// isJoin tells that an option has a record of its own (protocol.md §1.6).
func isJoin(o wire.Option) bool {
	_, is := o.(wire.MPJoin)
	return is
}

// halfClose passes Close on to the socket once nothing waits.
func (s *Subflow) halfClose() error {
	if !s.ending || s.ended || !s.out.empty() {
		return nil
	}
	s.ended = true
	if err := s.sock.CloseWrite(); err != nil {
		return err
	}
	s.finish()
	return nil
}

// poll asks for TCP_INFO, at most every infoEvery and only while data is outstanding.
func (s *Subflow) poll(now time.Time) {
	switch {
	case s.sent == s.acked:
		s.info.Sacked = 0
	case now.Sub(s.infoAt) >= infoEvery:
		s.info, s.infoAt = s.sock.Info(), now
		s.hints.look(s.out.payloads, s.written, s.acked, s.info.Arrived)
	}
}

// beyond is State.Beyond.
func (s *Subflow) beyond() int {
	n := max(s.info.Sacked, s.hints.missing(s.acked, s.limit.every()))
	return min(n, int(s.sent-s.acked))
}

// State is a snapshot.
func (s *Subflow) State() transport.State {
	return transport.State{
		Status:      s.status,
		Room:        s.room(),
		Written:     s.out.payloads,
		Unsent:      s.unsent + s.out.staged,
		Cwnd:        s.info.Cwnd,
		SystemRTT:   s.info.RTT,
		Beyond:      s.beyond(),
		Retransmits: s.info.Retransmits,
		Segments:    s.info.Segments,
		LastHeard:   s.heard,
		Local:       s.local,
		Remote:      s.remote,
		Congestion:  s.congestion,
	}
}
