//go:build linux || darwin

package plain

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"hawser/transport/nonblock"
)

// tcpSocket is a kernel TCP connection. The loop's calls go through RawConn.Control, which takes no lock of the
// descriptor, so that they work while a goroutine waits in RawConn.Write.
type tcpSocket struct {
	conn *net.TCPConn
	raw  syscall.RawConn
	r    ioCall // of the reading goroutine
	w    ioCall // of the loop
}

// ioCall is one system call's arguments and results with the closure that makes it, so that none is allocated.
type ioCall struct {
	bufs [][]byte
	one  [1][]byte
	n    int
	err  error
	run  func(fd uintptr)
}

func newTCPSocket(conn *net.TCPConn) (Socket, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	_ = conn.SetNoDelay(true) // Go's default, but the carrier depends on it
	s := &tcpSocket{conn: conn, raw: raw}
	s.r.run = func(fd uintptr) {
		s.r.n, s.r.err = nonblock.Read(fd, s.r.one[0])
	}
	s.w.run = func(fd uintptr) {
		s.w.n, s.w.err = nonblock.Writev(fd, s.w.bufs)
	}
	return s, nil
}

// TryRead reads what is there.
func (s *tcpSocket) TryRead(b []byte) (int, error) {
	s.r.one[0] = b
	err := s.raw.Control(s.r.run)
	s.r.one[0] = nil
	switch {
	case err != nil:
		return 0, err
	case errors.Is(s.r.err, unix.EAGAIN):
		return 0, ErrAgain
	case s.r.err != nil:
		return 0, os.NewSyscallError("read", s.r.err)
	case s.r.n == 0:
		return 0, io.EOF
	}
	return s.r.n, nil
}

// WaitReadable waits in the runtime's poller. The question put to the system comes after the poller was armed, so
// nothing that arrives in between is missed; whether the poller was right is left to TryRead.
func (s *tcpSocket) WaitReadable() error {
	woken := false
	return s.raw.Read(func(fd uintptr) bool {
		if woken {
			return true
		}
		woken = true
		return nonblock.Ready(fd, unix.POLLIN)
	})
}

// WaitWritable waits in the runtime's poller. poll(2) answers by TCP_NOTSENT_LOWAT, and a "no" makes the kernel wake
// the poller when that changes (Linux: SOCK_NOSPACE), as often as it is asked.
func (s *tcpSocket) WaitWritable() error {
	return s.raw.Write(func(fd uintptr) bool { return nonblock.Ready(fd, unix.POLLOUT) })
}

// SetReadTimeout bounds WaitReadable.
func (s *tcpSocket) SetReadTimeout(d time.Duration) error {
	if d == 0 {
		return s.conn.SetReadDeadline(time.Time{})
	}
	return s.conn.SetReadDeadline(time.Now().Add(d))
}

// TryWrite is one gathered write.
func (s *tcpSocket) TryWrite(bufs [][]byte) (int, error) {
	s.w.bufs = bufs
	err := s.raw.Control(s.w.run)
	s.w.bufs = nil
	switch {
	case err != nil:
		return 0, err
	case errors.Is(s.w.err, unix.EAGAIN):
		return 0, ErrAgain
	case s.w.err != nil:
		return 0, os.NewSyscallError("writev", s.w.err)
	}
	return s.w.n, nil
}

// CloseWrite half-closes.
func (s *tcpSocket) CloseWrite() error { return s.conn.CloseWrite() }

// Close ends the connection in order.
func (s *tcpSocket) Close() error { return s.conn.Close() }

// Reset ends the connection with a reset.
func (s *tcpSocket) Reset() error {
	_ = s.conn.SetLinger(0)
	return s.conn.Close()
}

// LocalAddr is this end.
func (s *tcpSocket) LocalAddr() netip.AddrPort { return addrPort(s.conn.LocalAddr()) }

// RemoteAddr is the peer's end.
func (s *tcpSocket) RemoteAddr() netip.AddrPort { return addrPort(s.conn.RemoteAddr()) }

// isNotAvailable says whether a source address was refused.
func isNotAvailable(err error) bool { return errors.Is(err, unix.EADDRNOTAVAIL) }
