package packet

import "net/netip"

// cutter makes segments of a super-segment, as segmentation offload would: for interfaces that refuse those.
type cutter struct {
	p       Packet // what is left; its Header is the original, untouched
	left    int    // bytes of payload
	segment int    // payload of each
	done    int    // bytes of payload that are cut
	over    bool
}

func newCutter(p *Packet, payload int) cutter {
	return cutter{p: *p, left: payload, segment: p.segmentSize(payload)}
}

// next appends the TCP header of the next segment to head (its checksum is 0) and its payload to pieces. It returns
// false when nothing is left; a packet without payload is one segment.
func (c *cutter) next(head []byte, pieces [][]byte) ([]byte, [][]byte, bool) {
	if c.over {
		return head, pieces, false
	}
	n := min(c.segment, c.left)
	start := len(head)
	head = append(head, c.p.Header...)
	h := head[start:]
	setChecksum(h, 0)
	advanceSeq(h, c.done)
	if c.done > 0 {
		h[flagsOffset] &^= flagCWR
	}
	if n < c.left {
		h[flagsOffset] &^= flagFIN | flagPSH
	}
	pieces = c.p.take(n, pieces)
	c.left, c.done = c.left-n, c.done+n
	c.over = c.left == 0
	return head, pieces, true
}

// take cuts n bytes off the payload's front and appends them to pieces.
func (p *Packet) take(n int, pieces [][]byte) [][]byte {
	for n > 0 {
		if k := min(n, len(p.Payload)); k > 0 {
			pieces = append(pieces, p.Payload[:k:k])
			p.Payload, n = p.Payload[k:], n-k
			continue
		}
		p.Payload, p.More = p.More[0], p.More[1:]
	}
	return pieces
}

// Cut makes packets of their own, with memory from the pool, of the segments that a valid packet is on the wire. It is for
// twins of Socket.
func (p *Packet) Cut() (segments []Packet) {
	c := newCutter(p, p.Len())
	for {
		s := *p
		var ok bool
		if s.Header, s.More, ok = c.next(nil, nil); !ok {
			return segments
		}
		s.Payload, s.SegmentSize = nil, 0
		s.Own()
		segments = append(segments, s)
	}
}

// Advance makes the packet what is left of it after n bytes of its payload have been sent.
func (p *Packet) Advance(n int) {
	if n == 0 {
		return
	}
	p.take(n, nil)
	advanceSeq(p.Header, n)
	p.Header[flagsOffset] &^= flagCWR
}

// finishChecksum puts the whole checksum into a TCP header that is followed by pieces.
func finishChecksum(local, remote netip.Addr, head []byte, pieces [][]byte) {
	setChecksum(head, 0)
	n := len(head)
	for _, b := range pieces {
		n += len(b)
	}
	s := sumBytes(head).plus(sumPieces(pieces)) // a header's length is a multiple of 4
	setChecksum(head, ^s.plus(pseudo(local, remote, n)).fold())
}

// beginChecksum puts the sum of the pseudo-header into a TCP header, for the kernel or the device to go on from.
func beginChecksum(local, remote netip.Addr, head []byte, payload int) {
	setChecksum(head, pseudo(local, remote, len(head)+payload).fold())
}

// verify checks the checksum of a whole TCP segment.
func verify(src, dst netip.Addr, segment []byte) bool {
	return sumBytes(segment).plus(pseudo(src, dst, len(segment))).fold() == 0xffff
}
