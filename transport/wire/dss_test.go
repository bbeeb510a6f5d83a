package wire

import (
	"bytes"
	"testing"
)

// The path of data: append and consume without an allocation.
func TestDSSAllocatesNothing(t *testing.T) {
	in := DSS{HasAck: true, AckWide: true, Ack: 1 << 60, HasMap: true, DSNWide: true,
		Map: Mapping{DSN: 1 << 61, SSN: 77, Len: 1420}, HasSum: true, Sum: 0xbeef}
	buf := make([]byte, 0, MaxDSS)
	var out DSS
	if n := testing.AllocsPerRun(1000, func() {
		b := AppendDSS(buf, &in)
		if out.Consume(b) != MaxDSS {
			t.Fatal("not consumed")
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
	if out != in {
		t.Errorf("got %v, want %v", out, in)
	}
}

func TestConsumeOverwritesWhatWasThere(t *testing.T) {
	d := DSS{HasAck: true, Ack: 5, HasMap: true, Map: Mapping{DSN: 9, Fin: true}, HasSum: true, Sum: 1, Infinite: true}
	if n := d.Consume(unhex(t, "1e042000")); n != 4 || d != (DSS{}) {
		t.Errorf("got %d, %v", n, d)
	}
}

func TestDSSConsumeRefuses(t *testing.T) {
	for name, s := range map[string]string{
		"nothing": "", "another option": "1e0351", "another kind": "08042000", "no flags": "1e0320",
		"truncated": "1e082001 026503", "another length than its flags": "1e082000 02650383",
		"DATA_FIN of length 0": "1e12201c 64b267696e9e45be 00000000 0000",
	} {
		var d DSS
		if n := d.Consume(unhex(t, s)); n >= 0 {
			t.Errorf("%s: consumed %d bytes: %v", name, n, d)
		}
	}
}

// All 256 flag bytes with all lengths: what is consumed is what the flags explain, and comes out again.
func TestDSSFlagsExplainTheLength(t *testing.T) {
	for flags := range 256 {
		for n := 4; n <= MaxDSS+2; n++ {
			b := bytes.Repeat([]byte{0x42}, n)
			b[0], b[1], b[2], b[3] = KindMPTCP, byte(n), byte(subDSS)<<4, byte(flags)
			want := 4
			if flags&dssAck != 0 {
				want += 4
				if flags&dssAckWide != 0 {
					want += 4
				}
			}
			hasMap := flags&dssMap != 0
			if hasMap {
				want += 10
				if flags&dssDSNWide != 0 {
					want += 4
				}
			}
			var d DSS
			used := d.Consume(b)
			if ok := n == want || hasMap && n == want+2; ok != (used == n) || !ok && used >= 0 {
				t.Fatalf("flags %02x, length %d: consumed %d", flags, n, used)
			}
			if used < 0 {
				continue
			}
			again := AppendDSS(nil, &d)
			if len(again) != n || !bytes.Equal(again[4:], b[4:]) {
				t.Fatalf("flags %02x: %x came back as %x", flags, b, again)
			}
		}
	}
}

func TestMappingEndCountsTheDataFin(t *testing.T) {
	for _, c := range []struct {
		m    Mapping
		want uint64
	}{
		{Mapping{DSN: 10, Len: 5}, 15},
		{Mapping{DSN: 10, Len: 5, Fin: true}, 16},
		{Mapping{DSN: 10, Fin: true}, 11},
		{Mapping{DSN: ^uint64(0), Len: 65535, Fin: true}, 65535},
	} {
		if got := c.m.End(); got != c.want {
			t.Errorf("%v: end %d, want %d", c.m, got, c.want)
		}
	}
	if got, want := (Mapping{DSN: 16, SSN: 3, Len: 2, Fin: true}).String(), "dsn=0000000000000010 ssn=3 len=2 fin"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func BenchmarkDSS(b *testing.B) {
	in := DSS{HasMap: true, DSNWide: true, Map: Mapping{DSN: 1 << 61, SSN: 77, Len: 1420}}
	buf := make([]byte, 0, MaxDSS)
	var out DSS
	b.ReportAllocs()
	for b.Loop() {
		if out.Consume(AppendDSS(buf, &in)) < 0 {
			b.Fatal("not consumed")
		}
	}
}
