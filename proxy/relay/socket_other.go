//go:build !unix

package relay

import (
	"net"
	"syscall"
)

// socketSource waits by the runtime's own zero-byte read, then takes a buffer. (On Windows that wait is
// level-triggered, so bytes that are already there end it at once.)
type socketSource struct {
	conn *net.TCPConn
	raw  syscall.RawConn
	tick bool
	try  func(fd uintptr) bool // s.second, bound once: no allocation for each read
}

func newSocketSource(c *net.TCPConn) source {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil
	}
	s := &socketSource{conn: c, raw: raw}
	s.try = s.second
	return s
}

// second is true the second time: RawConn.Read waits between two calls.
func (s *socketSource) second(uintptr) bool {
	s.tick = !s.tick
	return !s.tick
}

func (s *socketSource) next() ([]byte, *Buffer, error) {
	s.tick = false
	if err := s.raw.Read(s.try); err != nil {
		return nil, nil, err
	}
	return readPooled(s.conn)
}

// watch cannot learn of a reset without reading on these systems: the next write will.
func (s *socketSource) watch() error { return nil }

func (s *socketSource) failed() error { return nil }
