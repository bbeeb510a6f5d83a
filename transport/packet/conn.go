package packet

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Conn moves TCP segments of the ports that it was opened for, in batches. [Socket] is the one over raw sockets,
// package packettest has one in memory.
type Conn interface {
	// ReadBatch waits until at least one packet is there, fills ps from the start with what is there, and returns how
	// many it filled, at least one unless err is not nil. Each packet is the caller's until its Release. What ps held
	// before is overwritten. One goroutine at a time may call it. After Close it returns net.ErrClosed; an error that
	// is not about one packet is final.
	ReadBatch(ps []Packet) (n int, err error)

	// WriteBatch sends ps in order and never waits. n says how many have gone whole. With an error, ps[n] is what has
	// to be tried again or given up: of a super-segment that went in part, exactly the rest (its Header and Payload
	// have been advanced). The bytes are copied, so they are the caller's again when it returns. Several goroutines may
	// call it at once.
	//
	// ErrCongested is local backpressure and no sign of the network: keep ps[n:] and try again after a millisecond or
	// so. ErrTooBig is about ps[n] alone: the MTU has shrunk, or that of its route is smaller. Other errors are about ps[n] and mostly about its path (no
	// route, interface down, refused by a local firewall); they wrap the system's error number.
	WriteBatch(ps []Packet) (n int, err error)

	// MTU is the largest IP packet, in bytes, that the interface takes now; of several interfaces, the smallest. It
	// changes while the Conn lives (see ReportMTU).
	MTU() int

	// Close ends the Conn and its ReadBatch. Packets that have been read stay valid.
	Close() error
}

// The errors of WriteBatch that callers tell apart, with errors.Is.
var (
	// ErrCongested: the queue of the interface or of the socket is full (ENOBUFS, EAGAIN).
	ErrCongested = errors.New("packet: the local queue is full")
	// ErrTooBig: a segment does not fit the MTU of its interface or route (EMSGSIZE). The error is a *TooBigError.
	ErrTooBig = errors.New("packet: segment is larger than the MTU")
	// ErrMalformed: a packet without addresses of one family, with a TCP header that is cut short, with more than
	// MaxPayload, or in more than MaxPieces. A mistake of the caller.
	ErrMalformed = errors.New("packet: malformed packet")
	// ErrUnsupported: this system has no raw sockets of the kind needed.
	ErrUnsupported = errors.New("packet: the raw carrier needs Linux: use the plain carrier on this system")
)

// TooBigError is the ErrTooBig of one packet.
type TooBigError struct {
	Size int // bytes of IP packet that each segment has
	MTU  int // bytes that may be; 0: the system does not say
}

// Error says what does not fit.
func (e *TooBigError) Error() string {
	return fmt.Sprintf("%v: %d bytes, %d fit", ErrTooBig, e.Size, e.MTU)
}

// Is makes it ErrTooBig.
func (e *TooBigError) Is(target error) bool { return target == ErrTooBig }

// MaxPayload is the largest payload of a super-segment in bytes. With the headers it stays below 64 kB.
const MaxPayload = 62 << 10

// MaxPieces is how many pieces the payload of a packet may have, Payload being the first: one system call takes no more
// than 1024 of them (IOV_MAX), and a packet needs some for its headers.
const MaxPieces = 256

// Packet is one TCP segment between two addresses, or a super-segment: one header for many segments on the wire, which
// differ in nothing but their sequence number (and FIN, PSH and CWR, as segmentation offload has it). A packet that
// was read may instead be a Report about one that was sent.
type Packet struct {
	Local, Remote netip.Addr // of this host and of its peer, in both directions; IPv4 never in its IPv6-mapped form

	// Interface is the index of the interface that the packet came by or shall leave by. Sent with 0: the Conn's own.
	Interface int

	// Class is the IPv4 TOS or IPv6 traffic class: DSCP and, in the lowest two bits, ECN (RFC 3168 §5).
	Class uint8

	Header  []byte   // TCP header and options, 20–60 bytes. The checksum is set by WriteBatch and checked by ReadBatch
	Payload []byte   // what follows the header
	More    [][]byte // sent: further pieces of the payload, gathered, fewer than MaxPieces. Read: nil

	// SegmentSize is the payload of each segment on the wire, in bytes; the last may be shorter. 0, or as much as the
	// payload: one segment. Of a packet that was read: what the segments had when the kernel merged them.
	SegmentSize int

	// Control, sent: the kernel's own IP output shall carry it, which finds the next hop and lets the local firewall
	// see it: handshakes, keep-alives, retransmissions after a timeout. Such a packet should be small.
	Control bool

	// Fragment, sent, IPv4: routers may cut it up. The kernel's own output carries it, too, which gives each such packet
	// an identification of its own, as RFC 6864 §4.3 demands.
	Fragment bool

	// Heard, read: the kernel's own socket of the port has heard the packet, too, and may have answered an ACK with RST, whose
	// sequence number was the sender's choice (RFC 9293 §3.5.2). Only where that socket is not wholly deaf (see Reserve).
	Heard bool

	At     time.Time // read: when
	Report *Report   // read: not a segment; Header and Payload are empty

	buf *buffer
}

// Len is the payload in bytes.
func (p *Packet) Len() int {
	n := len(p.Payload)
	for _, b := range p.More {
		n += len(b)
	}
	return n
}

// segmentSize is the payload of each segment on the wire.
func (p *Packet) segmentSize(payload int) int {
	if p.SegmentSize == 0 || p.SegmentSize > payload {
		return payload
	}
	return p.SegmentSize
}

// valid says whether a packet can be sent at all, and gives its payload's length.
func (p *Packet) valid() (payload int, ok bool) {
	payload = p.Len()
	return payload, p.Local.IsValid() && p.Remote.IsValid() && p.Local.Is4() == p.Remote.Is4() &&
		!p.Local.Is4In6() && !p.Remote.Is4In6() &&
		payload <= MaxPayload && len(p.More) < MaxPieces && p.SegmentSize >= 0 && validHeader(p.Header) && headerLen(p.Header) == len(p.Header)
}

// Valid says whether WriteBatch can take the packet; false: it will answer ErrMalformed.
func (p *Packet) Valid() bool {
	_, ok := p.valid()
	return ok
}
