package plaintest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"hawser/transport/plain"
)

var errReset = &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}

// socket is one end of a connection. n.mu guards it.
type socket struct {
	n             *Network
	link          *Link
	local, remote netip.AddrPort
	out, in       *flow
	peer          *socket
	lowat         int
	gone          bool      // closed by its owner
	err           error     // the connection broke
	deadline      time.Time // of WaitReadable
	reader        sync.Cond
	writer        sync.Cond
}

var _ plain.Socket = (*socket)(nil)

func newSocket(n *Network, l *Link, local, remote netip.AddrPort) *socket {
	s := &socket{n: n, link: l, local: local, remote: remote, lowat: 1 << 30}
	s.reader.L, s.writer.L = &n.mu, &n.mu
	l.sockets[s] = struct{}{}
	return s
}

func (s *socket) wakeReader() { s.reader.Broadcast() }
func (s *socket) wakeWriter() {
	if s.writable() {
		s.writer.Broadcast()
	}
}

// writable is Linux's rule: a third of the buffer free, and less than the mark unsent.
func (s *socket) writable() bool {
	return len(s.out.unsent) < s.lowat && 3*s.out.buffered() < 2*s.n.cfg.SendBuffer
}

// readError is why there is nothing to read; nil: there may be later.
func (s *socket) readError() error {
	switch {
	case s.gone:
		return net.ErrClosed
	case s.err != nil:
		return s.err
	case s.in.rcvFin:
		return io.EOF
	}
	return nil
}

// TryRead reads what is there.
func (s *socket) TryRead(b []byte) (int, error) {
	s.n.mu.Lock()
	defer s.n.mu.Unlock()
	if len(s.in.inbox) > 0 && !s.gone {
		if m := s.n.cfg.MaxRead; m > 0 && len(b) > m {
			b = b[:m]
		}
		k := copy(b, s.in.inbox)
		if s.in.inbox = s.in.inbox[k:]; len(s.in.inbox) == 0 {
			s.in.inbox = nil
		}
		return k, nil
	}
	if err := s.readError(); err != nil {
		return 0, err
	}
	return 0, plain.ErrAgain
}

// WaitReadable waits for bytes, the end or the deadline.
func (s *socket) WaitReadable() error {
	s.n.mu.Lock()
	defer s.n.mu.Unlock()
	for {
		if s.gone {
			return net.ErrClosed
		}
		if !s.deadline.IsZero() && !time.Now().Before(s.deadline) {
			return os.ErrDeadlineExceeded
		}
		if len(s.in.inbox) > 0 || s.readError() != nil {
			return nil
		}
		s.reader.Wait()
	}
}

// SetReadTimeout bounds WaitReadable.
func (s *socket) SetReadTimeout(d time.Duration) error {
	s.n.mu.Lock()
	defer s.n.mu.Unlock()
	s.deadline = time.Time{}
	if d > 0 {
		s.deadline = time.Now().Add(d)
		s.n.timeline.At(s.deadline, func(time.Time) { s.wakeReader() })
	}
	s.wakeReader()
	return nil
}

// TryWrite takes what the send buffer has space for, unless too much is unsent.
func (s *socket) TryWrite(bufs [][]byte) (n int, err error) {
	s.n.mu.Lock()
	defer s.n.mu.Unlock()
	switch {
	case s.gone:
		return 0, net.ErrClosed
	case s.err != nil:
		return 0, s.err
	case s.out.closing:
		return 0, syscall.EPIPE
	case len(s.out.unsent) >= 2*s.lowat:
		return 0, plain.ErrAgain
	}
	space := s.n.cfg.SendBuffer - s.out.buffered()
	if m := s.n.cfg.MaxWrite; m > 0 {
		space = min(space, m)
	}
	for _, b := range bufs {
		k := min(len(b), space-n)
		if k <= 0 {
			break
		}
		s.out.unsent = append(s.out.unsent, b[:k]...)
		n += k
	}
	if n == 0 {
		return 0, plain.ErrAgain
	}
	s.out.push(time.Now())
	return n, nil
}

// WaitWritable waits for space.
func (s *socket) WaitWritable() error {
	s.n.mu.Lock()
	defer s.n.mu.Unlock()
	for !s.gone && s.err == nil && !s.writable() {
		s.writer.Wait()
	}
	return s.err
}

// Unsent is what has not been given to the link.
func (s *socket) Unsent() int {
	s.n.mu.Lock()
	defer s.n.mu.Unlock()
	return len(s.out.unsent)
}

// SetLowat sets the mark of WaitWritable.
func (s *socket) SetLowat(n int) {
	s.n.mu.Lock()
	defer s.n.mu.Unlock()
	s.lowat = n
	s.wakeWriter()
}

// SetPacing cannot be done.
func (s *socket) SetPacing(uint64) error {
	return fmt.Errorf("plaintest: pacing: %w", errors.ErrUnsupported)
}

// Info is the sender's state.
func (s *socket) Info() plain.Info {
	s.n.mu.Lock()
	defer s.n.mu.Unlock()
	f := s.out
	sacked := f.sacked * segmentSize
	return plain.Info{
		Cwnd: f.cc.window(), RTT: f.rtt.srtt, Sacked: sacked, Arrived: f.una + uint64(sacked),
		Retransmits: f.retransmits, Segments: f.segments,
	}
}

// CloseWrite half-closes after what was taken.
func (s *socket) CloseWrite() error {
	s.n.mu.Lock()
	defer s.n.mu.Unlock()
	if s.gone {
		return net.ErrClosed
	}
	s.out.closing = true
	s.out.push(time.Now())
	return s.err
}

// Close ends the connection; what was taken is still sent.
func (s *socket) Close() error {
	s.n.mu.Lock()
	defer s.n.mu.Unlock()
	if s.gone {
		return net.ErrClosed
	}
	s.leave()
	s.out.closing = true
	s.out.push(time.Now())
	return nil
}

// Reset ends the connection; the peer sees a reset when the link lets it through.
func (s *socket) Reset() error {
	s.n.mu.Lock()
	defer s.n.mu.Unlock()
	if s.gone {
		return net.ErrClosed
	}
	s.leave()
	broken := s.err != nil
	s.out.stop()
	if !broken {
		s.sendReset(time.Now())
	}
	return nil
}

// leave is the owner's end of use.
func (s *socket) leave() {
	s.gone = true
	s.in.inbox = nil
	delete(s.link.sockets, s)
	s.reader.Broadcast()
	s.writer.Broadcast()
}

// sendReset tells the peer that there is no such connection.
func (s *socket) sendReset(now time.Time) {
	s.out.path.send(now, packet{size: headerSize, arrive: func(time.Time) { s.peer.fail(errReset) }})
}

// refuse answers a segment that arrives after Close or Reset.
func (s *socket) refuse(now time.Time) {
	s.out.stop()
	s.sendReset(now)
}

// fail breaks the connection for this end.
func (s *socket) fail(err error) {
	if s.err != nil || s.gone {
		return
	}
	s.err = err
	s.out.stop()
	s.reader.Broadcast()
	s.writer.Broadcast()
}

// LocalAddr is this end.
func (s *socket) LocalAddr() netip.AddrPort { return s.local }

// RemoteAddr is the peer's end.
func (s *socket) RemoteAddr() netip.AddrPort { return s.remote }

// Congestion is the congestion control in force.
func (s *socket) Congestion() string { return s.n.cfg.Congestion }
