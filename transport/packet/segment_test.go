package packet

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"
)

// cutAll makes all segments of p, as whole TCP segments with checksum.
func cutAll(p Packet) (out [][]byte) {
	c := newCutter(&p, p.Len())
	for {
		head, pieces, ok := c.next(nil, nil)
		if !ok {
			return out
		}
		finishChecksum(p.Local, p.Remote, head, pieces)
		for _, piece := range pieces {
			head = append(head, piece...)
		}
		out = append(out, head)
	}
}

func TestCutterMakesTheSegmentsThatOffloadWouldMake(t *testing.T) {
	b := data(3500)
	p := Packet{
		Local: here4, Remote: there4, SegmentSize: 1448,
		Header:  tcpHeader(1, 2, 0xfffffff0, 0x10|flagFIN|flagPSH|flagCWR, 12),
		Payload: b[:1], More: [][]byte{nil, b[1:1449], b[1449:3400], {}, b[3400:]},
	}
	segments := cutAll(p)
	if len(segments) != 3 {
		t.Fatalf("%d segments, want 3", len(segments))
	}
	flags := []byte{0x10 | flagCWR, 0x10, 0x10 | flagFIN | flagPSH}
	seq, rest := uint32(0xfffffff0), b
	for i, s := range segments {
		n := min(1448, len(rest))
		if got := binary.BigEndian.Uint32(s[4:]); got != seq {
			t.Errorf("segment %d: seq %d, want %d", i, got, seq)
		}
		if s[13] != flags[i] {
			t.Errorf("segment %d: flags %#x, want %#x", i, s[13], flags[i])
		}
		if !bytes.Equal(s[20:32], p.Header[20:]) || !bytes.Equal(s[32:], rest[:n]) {
			t.Errorf("segment %d: options or payload differ", i)
		}
		if !verify(here4, there4, s) {
			t.Errorf("segment %d: wrong checksum", i)
		}
		seq, rest = seq+uint32(n), rest[n:]
	}
	if p.Header[13] != 0x10|flagFIN|flagPSH|flagCWR || binary.BigEndian.Uint32(p.Header[4:]) != 0xfffffff0 {
		t.Error("the packet's own header has changed")
	}
}

func TestCutterLeavesOneSegmentAsItIs(t *testing.T) {
	for _, n := range []int{0, 1, 1448} {
		p := Packet{Local: here6, Remote: there6, Header: tcpHeader(1, 2, 5, 0x10|flagFIN, 0), Payload: data(n), SegmentSize: 1448}
		if s := cutAll(p); len(s) != 1 || len(s[0]) != 20+n || s[0][13] != 0x10|flagFIN {
			t.Errorf("%d bytes: %d segments", n, len(s))
		}
	}
}

func TestAdvanceLeavesExactlyTheRest(t *testing.T) {
	whole := Packet{Local: here4, Remote: there4, Header: tcpHeader(1, 2, 5, 0x10|flagFIN|flagCWR, 12), Payload: data(700), More: [][]byte{data(4000)}, SegmentSize: 1000}
	want := cutAll(whole)
	for k := 1; k < len(want); k++ {
		p := whole
		p.Header = bytes.Clone(whole.Header)
		p.Advance(k * 1000)
		got := cutAll(p)
		if len(got) != len(want)-k {
			t.Fatalf("after %d segments %d are left, want %d", k, len(got), len(want)-k)
		}
		for i := range got {
			if !bytes.Equal(got[i], want[k+i]) {
				t.Errorf("after %d segments, segment %d differs", k, i)
			}
		}
	}
}

func TestPartialChecksumIsThePseudoHeaderWithTheWholeLength(t *testing.T) {
	h := tcpHeader(1, 2, 3, 0, 12)
	beginChecksum(here4, there4, h, 60000)
	want := slowSum(here4.AsSlice(), there4.AsSlice(), []byte{0, 6, 60032 >> 8, 60032 & 0xff})
	if got := binary.BigEndian.Uint16(h[16:]); got != want {
		t.Errorf("checksum field is %#x, want %#x", got, want)
	}
}

func TestOwnCopiesEverything(t *testing.T) {
	b := data(5000)
	p := Packet{Local: here4, Remote: there4, Header: tcpHeader(1, 2, 3, 0, 12), Payload: b[:10], More: [][]byte{b[10:4000], b[4000:]}}
	header, sender := bytes.Clone(p.Header), p.Header
	p.Own()
	clear(sender)
	if !bytes.Equal(p.Header, header) || !bytes.Equal(p.Payload, b) || p.More != nil {
		t.Error("the copy differs")
	}
	clear(b)
	if bytes.Equal(p.Payload, b) {
		t.Error("the copy shares memory")
	}
	p.Release()
	p.Release()
}

func TestPacketsThatCannotBeSentAreNotValid(t *testing.T) {
	good := Packet{Local: here4, Remote: there4, Header: tcpHeader(1, 2, 3, 0, 12), Payload: data(10)}
	if !good.Valid() {
		t.Fatal("a good packet is refused")
	}
	for name, edit := range map[string]func(*Packet){
		"no local address":  func(p *Packet) { p.Local = netip.Addr{} },
		"two families":      func(p *Packet) { p.Remote = there6 },
		"short header":      func(p *Packet) { p.Header = p.Header[:19] },
		"payload in header": func(p *Packet) { p.Header = append(p.Header, 1) },
		"options cut off":   func(p *Packet) { p.Header = p.Header[:28] },
		"too much payload":  func(p *Packet) { p.More = [][]byte{data(MaxPayload)} },
		"negative segments": func(p *Packet) { p.SegmentSize = -1 },
		"mapped addresses": func(p *Packet) {
			p.Local, p.Remote = netip.AddrFrom16(here4.As16()), netip.AddrFrom16(there4.As16())
		},
	} {
		p := good
		p.Header = bytes.Clone(good.Header)
		edit(&p)
		if p.Valid() {
			t.Errorf("%s: is valid", name)
		}
	}
}
