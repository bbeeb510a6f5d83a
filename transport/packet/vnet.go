package packet

import "encoding/binary"

// vnetHeader precedes every frame of a packet socket with PACKET_VNET_HDR, in both directions: struct virtio_net_hdr of
// the Virtio specification 1.2 §5.1.6, in the machine's byte order (the legacy form).
type vnetHeader struct {
	flags      uint8
	gsoType    uint8
	headerLen  uint16 // all headers of the frame; a hint
	gsoSize    uint16 // payload of each segment
	csumStart  uint16 // where the checksum's range begins, from the start of the frame
	csumOffset uint16 // of the checksum itself, from csumStart
}

const (
	vnetLen = 10 // bytes

	vnetNeedsChecksum = 1 // flags: the checksum is partial
	vnetDataValid     = 2 // flags: the checksum has been verified

	gsoNone  = 0
	gsoTCPv4 = 1
	gsoTCPv6 = 4
	gsoECN   = 0x80 // with the others: CWR is set in the first segment only
)

func (h vnetHeader) append(b []byte) []byte {
	ne := binary.NativeEndian
	b = append(b, h.flags, h.gsoType)
	b = ne.AppendUint16(b, h.headerLen)
	b = ne.AppendUint16(b, h.gsoSize)
	b = ne.AppendUint16(b, h.csumStart)
	return ne.AppendUint16(b, h.csumOffset)
}

// vnetFrom reads a header of vnetLen bytes. It comes from the kernel.
func vnetFrom(b []byte) vnetHeader {
	ne := binary.NativeEndian
	return vnetHeader{
		flags: b[0], gsoType: b[1],
		headerLen: ne.Uint16(b[2:]), gsoSize: ne.Uint16(b[4:]), csumStart: ne.Uint16(b[6:]), csumOffset: ne.Uint16(b[8:]),
	}
}

// vnetFor is the header of a frame whose TCP header of tcp bytes starts at start. The checksum is left to the kernel.
// A payload that is one segment must not claim to be a super-segment: the kernel refuses that.
func vnetFor(p *Packet, start, payload, segment int) vnetHeader {
	h := vnetHeader{
		flags: vnetNeedsChecksum, headerLen: uint16(start + len(p.Header)),
		csumStart: uint16(start), csumOffset: checksumOffset,
	}
	if payload > segment {
		h.gsoType, h.gsoSize = gsoTCPv6, uint16(segment)
		if p.Local.Is4() {
			h.gsoType = gsoTCPv4
		}
		if p.Header[flagsOffset]&flagCWR != 0 {
			h.gsoType |= gsoECN
		}
	}
	return h
}

// vouched says whether the kernel stands for the checksum: NEEDS_CSUM means that the packet never was on a wire, or was
// verified and merged.
func (h vnetHeader) vouched() bool { return h.flags&(vnetNeedsChecksum|vnetDataValid) != 0 }

// segmentSize is what the segments had before they were merged, of a payload of n bytes.
func (h vnetHeader) segmentSize(n int) int {
	if t := h.gsoType &^ gsoECN; (t == gsoTCPv4 || t == gsoTCPv6) && h.gsoSize > 0 && int(h.gsoSize) < n {
		return int(h.gsoSize)
	}
	return n
}
