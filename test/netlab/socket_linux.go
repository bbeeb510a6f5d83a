package netlab

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	batch        = 64                       // frames per system call
	socketBuffer = 32 << 20                 // bytes; takes bursts while the thread sleeps
	stampSpace   = unix.SizeofCmsghdr + 16  // room for one SCM_TIMESTAMPNS
	stampLength  = unix.SizeofCmsghdr + 2*8 // its length on 64-bit machines
)

// mmsghdr is struct mmsghdr of recvmmsg(2), which x/sys/unix does not have.
type mmsghdr struct {
	header unix.Msghdr
	length uint32
}

// A packetSocket takes and gives the frames of one interface, in batches, without blocking. It belongs to the link's
// thread.
type packetSocket struct {
	fd     int
	msgs   [batch]mmsghdr // to receive
	iovs   [batch]unix.Iovec
	stamps [batch][stampSpace]byte
	bufs   [batch][]byte // where the next frames go

	out     [batch]mmsghdr // to send
	outIovs [batch]unix.Iovec
}

// openPacketSocket opens a socket on the interface in the current thread's namespace. alloc gives buffers that hold the
// interface's largest frame.
func openPacketSocket(name string, alloc func() []byte) (*packetSocket, error) {
	dev, err := net.InterfaceByName(name)
	if err != nil {
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	s := &packetSocket{fd: fd}
	if err := s.configure(dev.Index); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("packet socket on %s: %w", name, err)
	}
	s.prepare(alloc)
	return s, nil
}

func (s *packetSocket) configure(index int) error {
	options := []struct{ level, name, value int }{
		{unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1},
		{unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1},
		{unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, socketBuffer},
		{unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, socketBuffer},
	}
	for _, o := range options {
		if err := unix.SetsockoptInt(s.fd, o.level, o.name, o.value); err != nil {
			return fmt.Errorf("option %d: %w", o.name, err)
		}
	}
	var all [2]byte
	binary.BigEndian.PutUint16(all[:], unix.ETH_P_ALL)
	return unix.Bind(s.fd, &unix.SockaddrLinklayer{Protocol: binary.NativeEndian.Uint16(all[:]), Ifindex: index})
}

func (s *packetSocket) prepare(alloc func() []byte) {
	for i := range s.msgs {
		s.refill(i, alloc())
		h := &s.msgs[i].header
		h.Iov = &s.iovs[i]
		h.SetIovlen(1)
		h.Control = &s.stamps[i][0]
		s.out[i].header.Iov = &s.outIovs[i]
		s.out[i].header.SetIovlen(1)
	}
}

func (s *packetSocket) refill(i int, b []byte) {
	s.bufs[i] = b
	s.iovs[i].Base = &b[0]
	s.iovs[i].SetLen(len(b))
}

// receive calls take for each frame of one batch with the wall-clock time of its arrival in nanoseconds (0: unknown).
// take owns the frame's buffer and returns one to replace it. more is true when frames may be left.
func (s *packetSocket) receive(take func(wall int64, b []byte) []byte) (more bool, err error) {
	for i := range s.msgs {
		s.msgs[i].header.SetControllen(stampSpace)
	}
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&s.msgs[0])), batch,
		unix.MSG_DONTWAIT, 0, 0)
	switch {
	case errno == unix.EAGAIN || errno == unix.EINTR:
		return false, nil
	case errno == unix.ENETDOWN: // told once, when the interface goes down
		return true, nil
	case errno != 0:
		return false, fmt.Errorf("recvmmsg: %w", errno)
	}
	for i := range int(n) {
		s.refill(i, take(s.stamp(i), s.bufs[i][:s.msgs[i].length]))
	}
	return int(n) == batch, nil
}

// stamp returns when message i arrived, in nanoseconds of the wall clock; 0 if the kernel did not say.
func (s *packetSocket) stamp(i int) int64 {
	b := s.stamps[i][:]
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	if s.msgs[i].header.Controllen < stampLength || h.Type != unix.SCM_TIMESTAMPNS {
		return 0
	}
	sec := int64(binary.NativeEndian.Uint64(b[unix.SizeofCmsghdr:]))
	return sec*int64(time.Second) + int64(binary.NativeEndian.Uint64(b[unix.SizeofCmsghdr+8:]))
}

// send gives at most batch frames to the interface and marks those that it did not take because it is down.
func (s *packetSocket) send(frames []frame) error {
	for i, f := range frames {
		s.outIovs[i].Base = &f.data[0]
		s.outIovs[i].SetLen(len(f.data))
	}
	for sent := 0; sent < len(frames); {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&s.out[sent])),
			uintptr(len(frames)-sent), unix.MSG_DONTWAIT, 0, 0)
		switch {
		case errno == 0:
			sent += int(n)
		case errno == unix.EINTR:
		case gone(errno):
			frames[sent].failed = true
			sent++
		default:
			return fmt.Errorf("sendmmsg: %w", errno)
		}
	}
	return nil
}

// gone tells the errors of an interface that is down or full, which lose one frame, from those that end the link.
func gone(err error) bool {
	for _, e := range []unix.Errno{unix.ENETDOWN, unix.ENXIO, unix.ENODEV, unix.ENOBUFS, unix.EAGAIN, unix.EMSGSIZE} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func (s *packetSocket) close() error { return unix.Close(s.fd) }
