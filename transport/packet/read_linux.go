package packet

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// reading is one call of ReadBatch. The function for the poller is made once.
type reading struct {
	ps     []Packet
	n      int
	err    error
	events [8]unix.EpollEvent
	try    func(fd uintptr) bool
}

// openPoll makes the epoll instance over all inlets and hands it to the runtime's poller: an epoll instance is itself
// readable when one of its files is.
func (s *Socket) openPoll() error {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		closeAll(fd)
		return os.NewSyscallError("fcntl", err)
	}
	for i, in := range s.inlets {
		e := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)}
		if err := unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, in.file(), &e); err != nil {
			closeAll(fd)
			return os.NewSyscallError("epoll_ctl", err)
		}
	}
	s.poll = os.NewFile(uintptr(fd), "packet sockets")
	s.pollRaw, err = s.poll.SyscallConn()
	s.reading.try = s.tryRead
	return err
}

// ReadBatch implements Conn.
func (s *Socket) ReadBatch(ps []Packet) (n int, err error) {
	if len(ps) == 0 {
		return 0, nil
	}
	r := &s.reading
	r.ps, r.n, r.err = ps, 0, nil
	err = s.pollRaw.Read(r.try)
	r.ps = nil
	switch {
	case r.n > 0:
		return r.n, nil
	case err != nil: // the poller has one reason only
		return 0, fmt.Errorf("packet: read: %w", net.ErrClosed)
	}
	return 0, r.err
}

// tryRead takes what is there; false: nothing is. Asking epoll again when nothing was good clears the readiness of the
// instance, so that the next packet is news to the runtime's poller.
func (s *Socket) tryRead(fd uintptr) bool {
	r := &s.reading
	for {
		k, err := unix.EpollWait(int(fd), r.events[:], 0)
		if err != nil && !errors.Is(err, unix.EINTR) {
			r.err = os.NewSyscallError("epoll_wait", err)
			return true
		}
		if k == 0 {
			return false
		}
		for _, e := range r.events[:max(k, 0)] {
			n, err := s.inlets[e.Fd].take(r.ps[r.n:])
			r.n += n
			if err != nil {
				r.err = err
				return true
			}
			if r.n == len(r.ps) {
				return true
			}
		}
		if r.n > 0 {
			return true
		}
	}
}

// notices is what the watcher has to tell the reader.
type notices struct {
	fd int // an eventfd

	mu      sync.Mutex // guards what follows
	waiting []Packet
	err     error // final
}

func newNotices() (*notices, error) {
	fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("eventfd", err)
	}
	return &notices{fd: fd}, nil
}

func (q *notices) add(p Packet) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, p)
	q.signal()
}

func (q *notices) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
	}
	q.signal()
}

func (q *notices) signal() { _, _ = unix.Write(q.fd, []byte{0, 0, 0, 0, 0, 0, 0, 1}) } // any number but 0 and 2⁶⁴-1 will do

func (q *notices) file() int { return q.fd }

// take hands out what waits. The error stays, and so does the signal for it.
func (q *notices) take(ps []Packet) (n int, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n = copy(ps, q.waiting)
	if q.waiting = q.waiting[n:]; len(q.waiting) > 0 {
		return n, nil
	}
	q.waiting = nil
	if q.err != nil {
		return n, q.err
	}
	var b [8]byte
	_, _ = unix.Read(q.fd, b[:])
	return n, nil
}

func (q *notices) close() { closeAll(q.fd) }
