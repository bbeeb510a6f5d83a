package wire

import (
	"bytes"
	"net/netip"
	"testing"
)

// The packets were put together by another program, from the layouts of RFC 791, 8200 and 9293.
const (
	synPacket = "450000400000400040064e7cc0000201c6336407" +
		"9c4001bbfffffff000000000b0c2ffff8a250000020405b40402080a000003e800000000010303081e040101"
	dataPacket = "602000000041064020010db800000000000000000000000120010db8000000000000000000000002" +
		"01bbc3500000000100000002f0180200aa8000000101080a000003e9000007d01e0820010265038301010512" +
		"0000100000002000000030000000400068656c6c6f"
)

func synSegment() *Segment {
	s := &Segment{
		Src: netip.MustParseAddrPort("192.0.2.1:40000"), Dst: netip.MustParseAddrPort("198.51.100.7:443"),
		Seq: 0xfffffff0, Flags: SYN | ECE | CWR, Window: 65535, HopLimit: 64,
		Options: TCPOptions{MSS: 1460, SACKPermitted: true, HasTimestamps: true, TSVal: 1000, HasWindowScale: true, WindowScale: 8},
	}
	s.Options.SetMPTCP([]byte{0x1e, 4, 1, 1})
	return s
}

func dataSegment() *Segment {
	s := &Segment{
		Src: netip.MustParseAddrPort("[2001:db8::1]:443"), Dst: netip.MustParseAddrPort("[2001:db8::2]:50000"),
		Seq: 1, Ack: 2, Flags: PSH | ACK, Window: 512, HopLimit: 64, ECN: ECT0,
		Options: TCPOptions{HasTimestamps: true, TSVal: 1001, TSEcr: 2000},
		Data:    [][]byte{[]byte("hel"), []byte("lo")}, Len: 5,
	}
	s.Options.SetMPTCP([]byte{0x1e, 8, 0x20, 1, 2, 0x65, 3, 0x83})
	s.Options.AddSACK(SACKBlock{0x1000, 0x2000})
	s.Options.AddSACK(SACKBlock{0x3000, 0x4000})
	return s
}

func packetOf(s *Segment, sum Sum) []byte {
	return append(s.AppendHeaders(nil, sum), bytes.Join(s.Data, nil)...)
}

func TestGoldenSegments(t *testing.T) {
	for _, g := range []struct {
		segment *Segment
		packet  string
		text    string
	}{
		{synSegment(), synPacket, "SYN|ECE|CWR seq=4294967280 win=65535 len=0 mssopt=1460 ws=8 sackok ts=1000/0 mptcp=1e040101"},
		{dataSegment(), dataPacket, "PSH|ACK seq=1 ack=2 win=512 len=5 ecn=2 ts=1001/2000 sack=4096-8192 sack=12288-16384 mptcp=1e08200102650383"},
	} {
		want := unhex(t, g.packet)
		if got := packetOf(g.segment, SumWhole); !bytes.Equal(got, want) {
			t.Errorf("AppendHeaders:\n got %x\nwant %x", got, want)
		}
		var s Segment
		if n := s.Consume(append(want, 0xff), false); n != len(want) {
			t.Fatalf("%v: Consume returned %d, want %d", g.segment, n, len(want))
		}
		if s.String() != g.text || g.segment.String() != g.text {
			t.Errorf("String:\n got %v\n and %v\nwant %s", &s, g.segment, g.text)
		}
		if s.Src != g.segment.Src || s.Dst != g.segment.Dst || s.Options != g.segment.Options {
			t.Errorf("%v: came back as %+v", g.segment, s)
		}
		if !bytes.Equal(bytes.Join(s.Data, nil), bytes.Join(g.segment.Data, nil)) {
			t.Errorf("payload is %q", s.Data)
		}
	}
}

// RFC 9293 §3.1 (MUST-3): "The receiver MUST check it" (the checksum).
func TestCorruptedSegmentsAreRefused(t *testing.T) {
	for _, packet := range []string{synPacket, dataPacket} {
		good := unhex(t, packet)
		var s Segment
		for i := range good {
			if n := s.Consume(good[:i], true); n >= 0 {
				t.Errorf("%d of %d bytes were taken for a segment", i, len(good))
			}
			bad := bytes.Clone(good)
			bad[i] ^= 0x40
			v6head := good[0]>>4 == 6 && i < 8 // the IPv6 header has no checksum, and ECN and hop limit are in no other
			if n := s.Consume(bad, false); n >= 0 && !v6head {
				t.Errorf("byte %d changed: taken for %v", i, &s)
			}
		}
	}
}

func TestPseudoSumIsWhatOffloadCompletes(t *testing.T) {
	for _, s := range []*Segment{synSegment(), dataSegment()} {
		partial := packetOf(s, SumPseudo)
		head := IPHeaderLen(s.Src.Addr())
		sum := ^fold(sumBytes(partial[head:])) // as a network card does: over the segment with the field as it is
		partial[head+16], partial[head+17] = byte(sum>>8), byte(sum)
		if want := packetOf(s, SumWhole); !bytes.Equal(partial, want) {
			t.Errorf("completed:\n got %x\nwant %x", partial, want)
		}
	}
}

func TestFragmentsAndForeignPacketsAreRefused(t *testing.T) {
	fix := func(b []byte) []byte {
		b[10], b[11] = 0, 0
		sum := ^fold(sumBytes(b[:20]))
		b[10], b[11] = byte(sum>>8), byte(sum)
		return b
	}
	change := func(packet string, at int, v byte) []byte {
		b := unhex(t, packet)
		b[at] = v
		if b[0]>>4 == 4 {
			fix(b)
		}
		return b
	}
	for name, b := range map[string][]byte{
		"more fragments":       change(synPacket, 6, 0x20),
		"later fragment":       change(synPacket, 7, 1),
		"UDP":                  change(synPacket, 9, 17),
		"header too short":     change(synPacket, 0, 0x44),
		"longer than it is":    change(synPacket, 3, 0x41),
		"data offset below 5":  change(synPacket, 32, 0x40),
		"data offset past end": change(synPacket, 32, 0xf0),
		"IPv6 fragment":        change(dataPacket, 6, 44),
		"version 5":            change(dataPacket, 0, 0x50),
		"nothing":              nil,
	} {
		var s Segment
		if n := s.Consume(b, true); n >= 0 {
			t.Errorf("%s: taken for %v", name, &s)
		}
	}
}

func TestIPv6ExtensionHeadersAreSkipped(t *testing.T) {
	b := unhex(t, dataPacket)
	b[6], b[5] = extHopByHop, b[5]+8+16
	ext := append([]byte{extDestination, 0, 1, 4, 0, 0, 0, 0}, protoTCP, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = append(b[:IPv6HeaderLen:IPv6HeaderLen], append(ext[:24], b[IPv6HeaderLen:]...)...)
	var s Segment
	if n := s.Consume(b, false); n != len(b) || s.Len != 5 {
		t.Errorf("got %d, %v", n, &s)
	}
}

// RFC 9293 §3.2: "A TCP implementation MUST be able to receive a TCP Option in any segment (MUST-5)" and "MUST
// ignore without error any TCP Option it does not implement, assuming that the option has a length field (MUST-6)".
func TestOptionsInAnyOrder(t *testing.T) {
	var o TCPOptions
	b := unhex(t, "fd06 11223344 01 1e03 51 0402 05 0a 00000001 00000002 1e04 8006 0303 07 0204 05b4 080a 00000001 00000002 00 ff")
	if n := o.Consume(b); n != len(b) {
		t.Fatalf("Consume returned %d", n)
	}
	want := TCPOptions{MSS: 1460, SACKPermitted: true, HasWindowScale: true, WindowScale: 7, HasTimestamps: true, TSVal: 1, TSEcr: 2,
		NumSACK: 1, SACK: [MaxSACK]SACKBlock{{1, 2}}}
	want.SetMPTCP(unhex(t, "1e0351 1e048006"))
	if o != want {
		t.Errorf("got %v, want %v", &o, &want)
	}
	for _, bad := range []string{"02", "0200", "0201", "020405", "0101fd"} {
		if n := o.Consume(unhex(t, bad)); n >= 0 {
			t.Errorf("%s: taken for %v", bad, &o)
		}
	}
	if n := o.Consume(unhex(t, "020305 03040000 08040000 0402 050300")); n < 0 || o != (TCPOptions{SACKPermitted: true}) {
		t.Errorf("options of wrong length: %d, %v", n, &o)
	}
}

func TestRoomForSACKBlocks(t *testing.T) {
	for _, c := range []struct{ mptcp, blocks, withoutTS int }{{0, 3, 4}, {8, 2, 3}, {12, 1, 3}, {16, 1, 2}, {22, 0, 1}, {28, 0, 1}} {
		o := TCPOptions{HasTimestamps: true}
		o.SetMPTCP(make([]byte, c.mptcp))
		with := o.SACKRoom()
		o.HasTimestamps = false
		if without := o.SACKRoom(); with != c.blocks || without != c.withoutTS {
			t.Errorf("%d bytes of MPTCP: room for %d and %d blocks, want %d and %d", c.mptcp, with, without, c.blocks, c.withoutTS)
		}
	}
}

func TestCutGivesThePacketsThatOffloadWouldMake(t *testing.T) {
	s := dataSegment()
	s.Flags |= FIN | CWR
	s.Data, s.Len, s.MSS = [][]byte{[]byte("abc"), []byte("defgh"), []byte("ij")}, 10, 4
	var part Segment
	var got []byte
	from := 0
	for i, want := range []struct {
		data  string
		flags Flags
	}{{"abcd", ACK | CWR}, {"efgh", ACK}, {"ij", ACK | PSH | FIN}} {
		seq := s.Seq.Add(from)
		from = s.Cut(from, &part)
		data := bytes.Join(part.Data, nil)
		got = append(got, data...)
		if string(data) != want.data || part.Len != len(data) || part.Flags != want.flags || part.Seq != seq {
			t.Errorf("packet %d is %v %q, want %v %q", i, &part, data, want.flags, want.data)
		}
	}
	if from != s.Len || string(got) != "abcdefghij" {
		t.Errorf("ended at %d with %q", from, got)
	}
}

func TestICMPErrors(t *testing.T) {
	quoted4, quoted6 := unhex(t, synPacket)[:28], unhex(t, dataPacket)[:48]
	for _, c := range []struct {
		head string
		v6   bool
		kind ICMPKind
		mtu  int
	}{
		{"0304000000000500", false, ICMPTooBig, 1280}, {"0303000000000000", false, ICMPHard, 0},
		{"0301000000000000", false, ICMPSoft, 0}, {"030d000000000000", false, ICMPProhibited, 0},
		{"0b00000000000000", false, ICMPSoft, 0}, {"0800000000000000", false, 0, 0},
		{"02000000000004f0", true, ICMPTooBig, 1264}, {"0104000000000000", true, ICMPHard, 0},
		{"0101000000000000", true, ICMPProhibited, 0}, {"0300000000000000", true, ICMPSoft, 0}, {"8000000000000000", true, 0, 0},
	} {
		quoted := quoted4
		if c.v6 {
			quoted = quoted6
		}
		b := append(unhex(t, c.head), quoted...)
		var e ICMPError
		if n := e.Consume(b, c.v6); (n < 0) != (c.kind == 0) || e.Kind != c.kind || e.MTU != c.mtu {
			t.Errorf("%s: got %d, %+v", c.head, n, e)
		}
		if c.kind != 0 && !c.v6 && (e.Src != synSegment().Src || e.Dst != synSegment().Dst || e.Seq != 0xfffffff0) {
			t.Errorf("%s: quotes %+v", c.head, e)
		}
		if n := e.Consume(b[:len(b)-1], c.v6); n >= 0 {
			t.Errorf("%s: cut short and yet taken for %+v", c.head, e)
		}
	}
}

func FuzzSegment(f *testing.F) {
	f.Add(unhex(f, synPacket))
	f.Add(unhex(f, dataPacket))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s, again Segment
		n := s.Consume(b, true)
		if n < 0 {
			return
		}
		if n > len(b) || s.Len > n {
			t.Fatalf("%d of %d bytes used, payload %d", n, len(b), s.Len)
		}
		if s.Options.Len() > MaxTCPOptions {
			return // packed tighter than Append aligns them
		}
		p := packetOf(&s, SumWhole)
		if m := again.Consume(p, false); m != len(p) || again.String() != s.String() {
			t.Fatalf("%v came back as %v, %d", &s, &again, m)
		}
	})
}

// FuzzHeader reads TCP headers without their IP header: as Consume reads them behind one.
func FuzzHeader(f *testing.F) {
	f.Add(unhex(f, synPacket)[IPv4HeaderLen:])
	f.Add(unhex(f, dataPacket)[IPv6HeaderLen:])
	f.Fuzz(func(t *testing.T, b []byte) {
		src, dst := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("198.51.100.7")
		var s, whole, frame Segment
		n := s.ConsumeHeader(src, dst, b)
		if n < 0 {
			return
		}
		if n != len(b) || s.Len != 0 {
			t.Fatalf("%d of %d bytes used, payload %d", n, len(b), s.Len)
		}
		frame.Src, frame.Dst = netip.AddrPortFrom(src, 0), netip.AddrPortFrom(dst, 0)
		p := append(frame.appendIP(nil, len(b)), b...)
		if m := whole.Consume(p, true); m != len(p) || whole.String() != s.String() || whole.Src != s.Src || whole.Dst != s.Dst {
			t.Fatalf("%v behind an IP header is %v, %d", &s, &whole, m)
		}
	})
}

func FuzzICMPError(f *testing.F) {
	f.Add(append(unhex(f, "0304000000000500"), unhex(f, synPacket)...), false)
	f.Add(append(unhex(f, "02000000000004f0"), unhex(f, dataPacket)...), true)
	f.Fuzz(func(t *testing.T, b []byte, v6 bool) {
		var e ICMPError
		if n := e.Consume(b, v6); n != len(b) && n >= 0 || (n < 0) != (e == ICMPError{}) {
			t.Fatalf("%d, %+v", n, e)
		}
	})
}

func BenchmarkSegment(b *testing.B) {
	packet := unhex(b, dataPacket)
	var s Segment
	buf := make([]byte, 0, MaxHeader)
	b.ReportAllocs()
	for b.Loop() {
		if s.Consume(packet, false) < 0 {
			b.Fatal("refused")
		}
		buf = s.AppendHeaders(buf[:0], SumWhole)
	}
}
