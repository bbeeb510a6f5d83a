package packet

import "golang.org/x/net/bpf"

// Block is a run of local ports that a filter can test with one mask: Count is a power of two, 1–4096, and First a
// multiple of it.
type Block struct {
	First uint16
	Count int
}

// Valid says whether a filter can test the block.
func (b Block) Valid() bool {
	return b.First > 0 && b.Count > 0 && b.Count <= maxBlock && b.Count&(b.Count-1) == 0 && int(b.First)%b.Count == 0
}

// Has says whether a port is of the block.
func (b Block) Has(port uint16) bool { return port&b.mask() == b.First }

func (b Block) mask() uint16 { return ^uint16(b.Count - 1) }

const (
	maxBlock = 4096
	// networkRelative, added to an offset, makes it count from the IP header whatever the link layer (SKF_NET_OFF of
	// linux/filter.h: offsets are signed, this is -0x100000).
	networkRelative = 0xfff00000
	// wholePacket is more than any packet has.
	wholePacket = 1 << 18
)

// The filters below run on every packet that the host receives, so they are short and test first what most packets
// fail. base is networkRelative on packet sockets; the offsets of raw sockets, and of tests, count from zero.

// receiveIPv4 passes whole packets of TCP to the block. Of fragments it passes those with a TCP header,
// for who reads to know that there are any (see reassemble).
func (b Block) receiveIPv4(base uint32) []bpf.Instruction {
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: base + 9, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: protocolTCP, SkipTrue: 7},
		bpf.LoadAbsolute{Off: base + 6, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: ipv4Offset, SkipTrue: 5},
		bpf.LoadMemShift{Off: base},
		bpf.LoadIndirect{Off: base + 2, Size: 2},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: uint32(b.mask())},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(b.First), SkipTrue: 1},
		bpf.RetConstant{Val: wholePacket},
		bpf.RetConstant{Val: 0},
	}
}

// receiveIPv6 is the same; a TCP header anywhere but behind the fixed header is not looked for.
func (b Block) receiveIPv6(base uint32) []bpf.Instruction {
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: base + 6, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: protocolTCP, SkipTrue: 4},
		bpf.LoadAbsolute{Off: base + ipv6Header + 2, Size: 2},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: uint32(b.mask())},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(b.First), SkipTrue: 1},
		bpf.RetConstant{Val: wholePacket},
		bpf.RetConstant{Val: 0},
	}
}

// errorsIPv4 passes ICMP messages that quote a TCP segment from the block, on a raw ICMP socket, which sees the outer
// IP header too.
func (b Block) errorsIPv4() []bpf.Instruction {
	const quote = 8 // of the quoted header, from the start of the ICMP message
	return []bpf.Instruction{
		bpf.LoadMemShift{Off: 0},
		bpf.LoadIndirect{Off: quote + 9, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: protocolTCP, SkipTrue: 9},
		bpf.LoadIndirect{Off: quote, Size: 1}, // the quoted header's own length
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 15},
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftLeft, Val: 2},
		bpf.ALUOpX{Op: bpf.ALUOpAdd},
		bpf.TAX{},
		bpf.LoadIndirect{Off: quote, Size: 2},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: uint32(b.mask())},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(b.First), SkipTrue: 1},
		bpf.RetConstant{Val: wholePacket},
		bpf.RetConstant{Val: 0},
	}
}

// errorsIPv6 is the same on a raw ICMPv6 socket, which starts with the ICMPv6 message.
func (b Block) errorsIPv6() []bpf.Instruction {
	const quote = 8
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: quote + 6, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: protocolTCP, SkipTrue: 4},
		bpf.LoadAbsolute{Off: quote + ipv6Header, Size: 2},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: uint32(b.mask())},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(b.First), SkipTrue: 1},
		bpf.RetConstant{Val: wholePacket},
		bpf.RetConstant{Val: 0},
	}
}

// sentResets passes TCP resets that leave this host from a port of the block, on a packet socket for all protocols. It
// runs on everything that arrives as well, which the first test fails.
func (b Block) sentResets(base uint32) []bpf.Instruction {
	const outgoing, rst, flags = 4, 0x04, 13 // PACKET_OUTGOING of linux/if_packet.h
	return []bpf.Instruction{
		bpf.LoadExtension{Num: bpf.ExtType},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: outgoing, SkipTrue: 19},
		bpf.LoadExtension{Num: bpf.ExtProto},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: etherTypeIPv6, SkipTrue: 10},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: etherTypeIPv4, SkipTrue: 16},
		bpf.LoadAbsolute{Off: base + 9, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: protocolTCP, SkipTrue: 14},
		bpf.LoadAbsolute{Off: base + 6, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: ipv4Fragment, SkipTrue: 12},
		bpf.LoadMemShift{Off: base},
		bpf.LoadIndirect{Off: base + flags, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: rst, SkipTrue: 9},
		bpf.LoadIndirect{Off: base, Size: 2},
		bpf.Jump{Skip: 5},
		bpf.LoadAbsolute{Off: base + 6, Size: 1}, // IPv6
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: protocolTCP, SkipTrue: 5},
		bpf.LoadAbsolute{Off: base + ipv6Header + flags, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: rst, SkipTrue: 3},
		bpf.LoadAbsolute{Off: base + ipv6Header, Size: 2},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: uint32(b.mask())},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(b.First), SkipTrue: 1},
		bpf.RetConstant{Val: 0},
		bpf.RetConstant{Val: wholePacket},
	}
}

// dropAll passes nothing.
func dropAll() []bpf.Instruction { return []bpf.Instruction{bpf.RetConstant{Val: 0}} }
