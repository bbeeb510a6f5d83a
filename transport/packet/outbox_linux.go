package packet

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	sendSlots = 64 // messages per system call
	ethernet  = 14 // bytes of header
	headSpace = vnetLen + ethernet + ipv6Header + maxHeader
	pktinfo   = unix.SizeofCmsghdr + unix.SizeofInet6Pktinfo + 4 // bytes, the larger family, aligned
)

// outbox collects messages for one sendmmsg. A writer owns it for one WriteBatch; it is then used again.
type outbox struct {
	n      int
	slots  [sendSlots]sendSlot
	ms     [sendSlots]mmsghdr
	iovs   []unix.Iovec
	pieces [][]byte
}

// sendSlot is one message.
type sendSlot struct {
	head    [headSpace]byte
	name    [unix.SizeofSockaddrInet6]byte // the largest of the three kinds of address
	info    [pktinfo]byte
	packet  int  // which of the batch
	payload int  // bytes
	done    int  // bytes of that packet's payload that have gone with this message
	whole   bool // nothing of the packet is left then
	super   bool
	iov     int // index of the first of its iovs
	iovs    int
}

// reset empties the outbox and drops its references to the caller's bytes.
func (o *outbox) reset() {
	clear(o.iovs)
	clear(o.pieces)
	clear(o.ms[:o.n])
	o.n, o.iovs, o.pieces = 0, o.iovs[:0], o.pieces[:0]
}

// gather adds head and pieces as the n-th message's bytes.
func (o *outbox) gather(slot *sendSlot, head []byte, pieces [][]byte) {
	slot.iov = len(o.iovs)
	o.iovs = append(o.iovs, iovec(head))
	for _, b := range pieces {
		if len(b) > 0 {
			o.iovs = append(o.iovs, iovec(b))
		}
	}
	slot.iovs = len(o.iovs) - slot.iov
}

// seal points the messages to their parts, which do not move any more.
func (o *outbox) seal(nameLen uint32) []mmsghdr {
	for i := range o.n {
		slot, h := &o.slots[i], &o.ms[i].hdr
		h.Name, h.Namelen = &slot.name[0], nameLen
		h.Iov = &o.iovs[slot.iov]
		h.SetIovlen(slot.iovs)
	}
	return o.ms[:o.n]
}

// addFrame adds a segment or super-segment for a packet socket. head is its TCP header, which ends up in the slot.
func (o *outbox) addFrame(p *Packet, w *way, c *cut) {
	slot := o.next(c)
	link := 0
	if w.out.link == linkEthernet {
		link = ethernet
	}
	start := link + ipHeaderLen(p.Local)
	v := vnetFor(p, start, c.payload, c.segment)
	slot.super = v.gsoType != gsoNone
	b := v.append(slot.head[:0])
	etherType := uint16(etherTypeIPv4)
	if p.Local.Is6() {
		etherType = etherTypeIPv6
	}
	if link > 0 {
		b = append(append(b, w.hop.mac[:]...), w.out.mac[:]...)
		b = binary.BigEndian.AppendUint16(b, etherType)
	}
	b = appendIP(b, p, len(c.head)+c.payload, c.id)
	b = append(b, c.head...)
	beginChecksum(p.Local, p.Remote, b[len(b)-len(c.head):], c.payload)
	o.gather(slot, b, c.pieces)
	*(*unix.RawSockaddrLinklayer)(unsafe.Pointer(&slot.name)) = unix.RawSockaddrLinklayer{
		Family: unix.AF_PACKET, Protocol: netOrder(etherType), Ifindex: int32(w.hop.index),
	}
}

// addIP adds one segment for a raw IP socket. index: leave by that interface; 0: as the kernel routes it, or by the
// interface that the socket is bound to.
func (o *outbox) addIP(p *Packet, index int, c *cut) {
	slot := o.next(c)
	b := appendIP(slot.head[:0], p, len(c.head)+c.payload, c.id)
	b = append(b, c.head...)
	finishChecksum(p.Local, p.Remote, b[len(b)-len(c.head):], c.pieces)
	o.gather(slot, b, c.pieces)
	putName(slot, p.Remote, index)
	if index != 0 {
		h := &o.ms[o.n-1].hdr
		h.Control = &slot.info[0]
		h.SetControllen(putInfo(slot.info[:], p.Remote.Is4(), index))
	}
}

// next takes the next slot, for what c has cut.
func (o *outbox) next(c *cut) *sendSlot {
	slot := &o.slots[o.n]
	o.n++
	slot.packet, slot.payload, slot.done, slot.whole, slot.super = c.packet, c.payload, c.done, c.whole, false
	return slot
}

// putName makes the destination address of a raw IP socket.
func putName(slot *sendSlot, a netip.Addr, index int) {
	if a.Is4() {
		*(*unix.RawSockaddrInet4)(unsafe.Pointer(&slot.name)) = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: a.As4()}
		return
	}
	sa := unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: a.As16()}
	if a.IsLinkLocalUnicast() {
		sa.Scope_id = uint32(index)
	}
	*(*unix.RawSockaddrInet6)(unsafe.Pointer(&slot.name)) = sa
}

// nameLen is the length of what putName makes.
func nameLen(v4 bool) uint32 {
	if v4 {
		return unix.SizeofSockaddrInet4
	}
	return unix.SizeofSockaddrInet6
}

// putInfo makes a control message that names the interface to leave by (ip(7), ipv6(7)).
func putInfo(b []byte, v4 bool, index int) int {
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	data := unsafe.Pointer(&b[unix.SizeofCmsghdr])
	if v4 {
		h.Level, h.Type = unix.SOL_IP, unix.IP_PKTINFO
		h.SetLen(unix.CmsgLen(unix.SizeofInet4Pktinfo))
		*(*unix.Inet4Pktinfo)(data) = unix.Inet4Pktinfo{Ifindex: int32(index)}
		return unix.CmsgSpace(unix.SizeofInet4Pktinfo)
	}
	h.Level, h.Type = unix.SOL_IPV6, unix.IPV6_PKTINFO
	h.SetLen(unix.CmsgLen(unix.SizeofInet6Pktinfo))
	*(*unix.Inet6Pktinfo)(data) = unix.Inet6Pktinfo{Ifindex: uint32(index)}
	return unix.CmsgSpace(unix.SizeofInet6Pktinfo)
}
