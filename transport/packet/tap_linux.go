package packet

import (
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	receiveSlots = 32 // packets per system call
	// superSlots is how many of them while they are super-segments: what has been read should still be in the processor's
	// cache when it is looked at, and so should the buffers be when their turn comes again.
	superSlots    = 8
	receiveBuffer = 16 << 20 // bytes in the kernel; half of it counts, as bookkeeping takes the rest
	auxSpace      = 64       // bytes of control message: struct tpacket_auxdata
)

// tap is a packet socket that receives one EtherType. The reader owns it.
type tap struct {
	s      *Socket
	fd     int
	buffer int  // bytes that the kernel has granted
	size   int  // of packets, lately, in bytes
	whole  bool // the kernel puts fragments together
	slots  [receiveSlots]receiveSlot
	ms     [receiveSlots]mmsghdr
}

// receiveSlot is where one packet goes.
type receiveSlot struct {
	vnet [vnetLen]byte
	iov  [2]unix.Iovec
	name unix.RawSockaddrLinklayer
	aux  [auxSpace]byte
	buf  *buffer // nil: has been handed on
}

// openTap opens a socket that is complete before it receives: without a protocol it gets nothing, and the protocol comes
// with bind, after the options and the filter.
func openTap(s *Socket, etherType uint16) (t *tap, err error) {
	t = &tap{s: s}
	if t.fd, err = open(unix.AF_PACKET, unix.SOCK_RAW, 0); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			closeAll(t.fd)
		}
	}()
	for _, option := range []int{unix.PACKET_VNET_HDR, unix.PACKET_AUXDATA} {
		if err = unix.SetsockoptInt(t.fd, unix.SOL_PACKET, option, 1); err != nil {
			return nil, fmt.Errorf("packet: option %d of a packet socket: %w", option, err)
		}
	}
	setBuffer(t.fd, unix.SO_RCVBUFFORCE, unix.SO_RCVBUF, receiveBuffer)
	if t.buffer, err = unix.GetsockoptInt(t.fd, unix.SOL_SOCKET, unix.SO_RCVBUF); err != nil {
		return nil, os.NewSyscallError("SO_RCVBUF", err)
	}
	program := s.block.receiveIPv4(networkRelative)
	if etherType == etherTypeIPv6 {
		program = s.block.receiveIPv6(networkRelative)
	}
	if err = attach(t.fd, program); err != nil {
		return nil, err
	}
	if err = bindPacket(t.fd, etherType, s.index); err != nil {
		return nil, err
	}
	return t, nil
}

// bindPacket has a packet socket receive an EtherType from an interface; index 0: from all.
func bindPacket(fd int, etherType uint16, index int) error {
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: netOrder(etherType), Ifindex: index}); err != nil {
		return fmt.Errorf("packet: bind to interface %d: %w", index, err)
	}
	return nil
}

// reassemble has the kernel put the fragments of IPv4 together ("The IP layer MUST implement reassembly of IP datagrams",
// RFC 1122 §3.3.2) before the filter sees the whole: with a peer behind a link of less than 552 bytes all that is larger
// comes in pieces. The kernel does so for groups of packet sockets, so this is a group of one. It costs something for each
// packet of the host, so it begins with the first fragment to us, which is lost. A kernel before 4.11 refuses.
func (t *tap) reassemble() {
	const group = unix.PACKET_FANOUT_LB | unix.PACKET_FANOUT_FLAG_DEFRAG | unix.PACKET_FANOUT_FLAG_UNIQUEID
	if !t.whole {
		t.whole = true
		_ = setOption32(t.fd, unix.SOL_PACKET, unix.PACKET_FANOUT, group<<16)
	}
}

func (t *tap) file() int { return t.fd }

// waiting tells whether a packet is there, good or not.
func (t *tap) waiting() bool {
	size, err := unix.IoctlGetInt(t.fd, unix.SIOCINQ) // of the first
	return err == nil && size > 0
}

// arm makes the first n slots ready.
func (t *tap) arm(n int) {
	for i := range t.slots[:n] {
		slot := &t.slots[i]
		if slot.buf == nil {
			slot.buf = getBuffer(largeBuffer)
		}
		slot.iov = [2]unix.Iovec{iovec(slot.vnet[:]), iovec(slot.buf.b)}
		h := &t.ms[i].hdr
		h.Name, h.Namelen = (*byte)(unsafe.Pointer(&slot.name)), unix.SizeofSockaddrLinklayer
		h.Iov, h.Control = &slot.iov[0], &slot.aux[0]
		h.SetIovlen(2)
		h.SetControllen(auxSpace)
		h.Flags = 0
	}
}

// take receives what is there into ps. n may be 0 although packets came: they were not good.
func (t *tap) take(ps []Packet) (n int, err error) {
	k := min(len(ps), receiveSlots)
	if t.size > largeBuffer/4 {
		k = min(k, superSlots)
	}
	t.arm(k)
	k, err = recvmmsg(t.fd, t.ms[:k])
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return 0, nil
	case errors.Is(err, unix.ENETDOWN): // comes back with the interface, or the watcher knows that it is gone
		return 0, nil
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.EIO), errors.Is(err, unix.ENOBUFS):
		t.s.received.failures.Add(1) // a packet that a virtio-net header cannot describe
		return 0, nil
	case err != nil:
		return 0, os.NewSyscallError("recvmmsg", err)
	}
	now := time.Now()
	t.size = 0
	for i := range k {
		t.size = max(t.size, int(t.ms[i].n))
		if t.read(&t.slots[i], &t.ms[i], &ps[n]) {
			ps[n].At = now
			n++
		}
	}
	return n, nil
}

// read makes a packet of what a slot has received; false: it is none of ours.
func (t *tap) read(slot *receiveSlot, m *mmsghdr, p *Packet) bool {
	c := &t.s.received
	frame := int(m.n) - vnetLen
	network, valid, ok := slot.auxiliary(m)
	if frame < 0 || m.hdr.Flags&unix.MSG_TRUNC != 0 || frame > len(slot.buf.b) || !ok || network > frame {
		c.malformed.Add(1)
		return false
	}
	ip, ok := parseIP(slot.buf.b[network:frame])
	if ip.fragment {
		t.reassemble()
	}
	if ip.badSum {
		c.badSum.Add(1)
		return false
	}
	if !ok || !validHeader(ip.payload) {
		c.malformed.Add(1)
		return false
	}
	if slot.name.Pkttype != unix.PACKET_HOST || !t.s.local(ip.dst) || t.s.forged(int(slot.name.Ifindex), ip.src) {
		c.notOurs.Add(1)
		return false
	}
	vnet := vnetFrom(slot.vnet[:])
	if !valid && !vnet.vouched() {
		c.unverified.Add(1)
		if !verify(ip.src, ip.dst, ip.payload) {
			c.badSum.Add(1)
			return false
		}
	}
	segment := ip.payload
	buf := slot.buf
	if len(segment) <= smallBuffer {
		buf = getBuffer(len(segment))
		segment = buf.b[:copy(buf.b, segment)]
	} else {
		slot.buf = nil
	}
	h := headerLen(segment)
	*p = Packet{
		Local: ip.dst, Remote: ip.src, Interface: int(slot.name.Ifindex), Class: ip.class,
		Header: segment[:h:h], Payload: segment[h:], buf: buf,
		Heard: !t.s.deaf && ip.ttl == topTTL,
	}
	p.SegmentSize = vnet.segmentSize(len(p.Payload))
	if p.SegmentSize < len(p.Payload) {
		c.merged.Add(1)
	}
	c.packets.Add(1)
	c.bytes.Add(uint64(len(p.Payload)))
	return true
}

// auxiliary reads the control message: where the IP header starts in the frame, and whether the kernel knows the
// checksum to be right.
func (slot *receiveSlot) auxiliary(m *mmsghdr) (network int, valid, ok bool) {
	const head = unix.SizeofCmsghdr
	if uintptr(m.hdr.Controllen) < head+unsafe.Sizeof(unix.TpacketAuxdata{}) {
		return 0, false, false
	}
	c := (*unix.Cmsghdr)(unsafe.Pointer(&slot.aux[0]))
	if c.Level != unix.SOL_PACKET || c.Type != unix.PACKET_AUXDATA {
		return 0, false, false
	}
	aux := (*unix.TpacketAuxdata)(unsafe.Pointer(&slot.aux[head]))
	return int(aux.Net), aux.Status&(unix.TP_STATUS_CSUM_VALID|unix.TP_STATUS_CSUMNOTREADY) != 0, true
}

// overruns is what the kernel has dropped since the last call because the buffer was full.
func (t *tap) overruns() uint64 {
	st, err := unix.GetsockoptTpacketStats(t.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return 0
	}
	return uint64(st.Drops)
}

func (t *tap) close() { closeAll(t.fd) }
