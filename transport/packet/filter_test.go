package packet

import (
	"slices"
	"testing"

	"golang.org/x/net/bpf"
)

// passes runs a filter whose offsets count from zero.
func passes(t *testing.T, program []bpf.Instruction, b []byte) bool {
	t.Helper()
	vm, err := bpf.NewVM(program)
	if err != nil {
		t.Fatal(err)
	}
	n, err := vm.Run(b)
	if err != nil {
		t.Fatal(err)
	}
	return n > 0
}

// with returns a copy of b that edit has changed.
func with(b []byte, edit func([]byte)) []byte {
	b = slices.Clone(b)
	edit(b)
	return b
}

func TestReceiveFilterPassesTCPToTheBlockAlone(t *testing.T) {
	block := Block{First: 61024, Count: 32}
	v4 := func(dst uint16) []byte {
		return ipPacketOf(Packet{Local: here4, Remote: there4, Header: tcpHeader(9, dst, 1, 0, 0), Payload: data(10)})
	}
	v6 := func(dst uint16) []byte {
		return ipPacketOf(Packet{Local: here6, Remote: there6, Header: tcpHeader(9, dst, 1, 0, 0), Payload: data(10)})
	}
	options := append(with(v4(61030)[:20], func(b []byte) { b[0] = 0x47 }), append(make([]byte, 8), v4(61030)[20:]...)...)
	decoy := with(v4(80), func(b []byte) { b[20], b[21] = 61030>>8, 61030&0xff })
	for _, c := range []struct {
		name string
		v6   bool
		b    []byte
		want bool
	}{
		{"first port", false, v4(61024), true},
		{"last port", false, v4(61055), true},
		{"port before", false, v4(61023), false},
		{"port after", false, v4(61056), false},
		{"source port of the block", false, decoy, false},
		{"IP options", false, options, true},
		{"UDP", false, with(v4(61030), func(b []byte) { b[9] = 17 }), false},
		{"first fragment", false, with(v4(61030), func(b []byte) { b[6] = 0x20 }), true},
		{"later fragment", false, with(v4(61030), func(b []byte) { b[7] = 9 }), false},
		{"don't fragment", false, with(v4(61030), func(b []byte) { b[6] = 0x40 }), true},
		{"cut short", false, v4(61030)[:21], false},
		{"IPv6 first port", true, v6(61024), true},
		{"IPv6 port after", true, v6(61056), false},
		{"IPv6 extension header", true, with(v6(61030), func(b []byte) { b[6] = 0 }), false},
		{"IPv6 cut short", true, v6(61030)[:41], false},
	} {
		program := block.receiveIPv4(0)
		if c.v6 {
			program = block.receiveIPv6(0)
		}
		if got := passes(t, program, c.b); got != c.want {
			t.Errorf("%s: passes %v, want %v", c.name, got, c.want)
		}
	}
	if n := len(block.receiveIPv4(0)); n > 10 {
		t.Errorf("the filter has %d instructions, which every packet of the host would pay", n)
	}
	if !passes(t, Block{First: 7443, Count: 1}.receiveIPv4(0), v4(7443)) {
		t.Error("a block of one port does not pass its port")
	}
}

func TestErrorFilterPassesQuotesOfTheBlockAlone(t *testing.T) {
	block := Block{First: 7443, Count: 1}
	ours := Packet{Local: here4, Remote: there4, Header: tcpHeader(7443, 9, 1, 0, 0)}
	ours6 := Packet{Local: here6, Remote: there6, Header: tcpHeader(7443, 9, 1, 0, 0)}
	theirs := Packet{Local: here4, Remote: there4, Header: tcpHeader(9, 7443, 1, 0, 0)}
	theirs6 := Packet{Local: here6, Remote: there6, Header: tcpHeader(9, 7443, 1, 0, 0)}
	for _, c := range []struct {
		name string
		b    []byte
		f    []bpf.Instruction
		want bool
	}{
		{"ours", icmpv4(icmpUnreachable, 4, 1400, ipPacketOf(ours)[:28]), block.errorsIPv4(), true},
		{"quoted options", icmpv4(icmpUnreachable, 4, 1400, withOptions(ipPacketOf(ours))[:36]), block.errorsIPv4(), true},
		{"somebody else's", icmpv4(icmpUnreachable, 4, 1400, ipPacketOf(theirs)[:28]), block.errorsIPv4(), false},
		{"UDP", icmpv4(icmpUnreachable, 4, 1400, with(ipPacketOf(ours)[:28], func(b []byte) { b[9] = 17 })), block.errorsIPv4(), false},
		{"short", icmpv4(icmpUnreachable, 4, 1400, ipPacketOf(ours)[:20]), block.errorsIPv4(), false},
		{"IPv6 ours", icmpv6(icmpv6TooBig, 0, 1400, ipPacketOf(ours6)), block.errorsIPv6(), true},
		{"IPv6 somebody else's", icmpv6(icmpv6TooBig, 0, 1400, ipPacketOf(theirs6)), block.errorsIPv6(), false},
	} {
		if got := passes(t, c.f, c.b); got != c.want {
			t.Errorf("%s: passes %v, want %v", c.name, got, c.want)
		}
	}
}

func TestBlocksThatAMaskCannotTestAreRefused(t *testing.T) {
	for b, want := range map[Block]bool{
		{7443, 1}: true, {61024, 32}: true, {61024, 64}: false, {61025, 32}: false, {60000, 3}: false, {0, 1}: false, {8192, 8192}: false,
	} {
		if b.Valid() != want {
			t.Errorf("%+v: valid is %v, want %v", b, b.Valid(), want)
		}
	}
}
