package mptcp

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"hawser/transport"
)

// pieces cuts data into runs that start at base, in a random order and with random overlaps and repetitions.
func pieces(r *rand.Rand, data []byte, base uint64) []held {
	var all []held
	for at := 0; at < len(data); {
		n := min(len(data)-at, 1+r.IntN(700))
		from := max(0, at-r.IntN(50))
		all = append(all, held{dsn: base + uint64(from), p: transport.Payload{B: data[from : at+n]}})
		at += n
	}
	for range len(all) / 4 {
		all = append(all, all[r.IntN(len(all))])
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

func TestReassemblyDeliversEveryByteOnceInOrder(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		data := make([]byte, 20_000)
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		base := ^uint64(0) - 5_000 // the sequence space wraps in the middle
		re := reassembly{next: base}
		var got []byte
		var out []transport.Payload
		for _, piece := range pieces(r, data, base) {
			p := piece.p
			if r.IntN(2) == 0 { // held in a pooled buffer
				buf := transport.GetBuffer()
				p = transport.Payload{B: buf.B[:copy(buf.B, p.B)], Buf: buf}
			}
			out = re.insert(piece.dsn, p, out[:0])
			for i := range out {
				got = append(got, out[i].B...)
				out[i].Release()
			}
			checkRuns(t, &re)
		}
		if !bytes.Equal(got, data) {
			t.Fatalf("seed %d: %d bytes came out, want %d, or their order is wrong", seed, len(got), len(data))
		}
		if len(re.runs) != 0 || re.bytes != 0 || re.copied != 0 {
			t.Fatalf("seed %d: %d runs with %d bytes are left", seed, len(re.runs), re.bytes)
		}
	}
}

func checkRuns(t *testing.T, re *reassembly) {
	t.Helper()
	sum := 0
	for i := range re.runs {
		sum += len(re.runs[i].p.B)
		if int64(re.runs[i].dsn-re.next) <= 0 {
			t.Fatalf("run %d starts at or before what is expected next", i)
		}
		if i > 0 && int64(re.runs[i].dsn-re.runs[i-1].end()) < 0 {
			t.Fatalf("runs %d and %d overlap", i-1, i)
		}
	}
	if sum != re.bytes {
		t.Fatalf("%d bytes are held, %d are counted", sum, re.bytes)
	}
}

func TestReassemblyKeepsTheFirstCopyOfAByte(t *testing.T) {
	re := reassembly{next: 100}
	put := func(dsn uint64, s string) (got string) {
		for _, p := range re.insert(dsn, transport.Payload{B: []byte(s)}, nil) {
			got += string(p.B)
		}
		return got
	}
	put(104, "first")
	put(102, "XXYYYYYZZ") // RFC 8684 §3.3.1: the first copy of a byte wins
	if got, want := put(100, "ab"), "abXXfirstZZ"; got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
	if re.dup != 5 {
		t.Fatalf("%d bytes count as duplicates, want 5", re.dup)
	}
}

func TestReassemblyCopiesWhatWaitsLong(t *testing.T) {
	re := reassembly{next: 0}
	for i := range 200 {
		buf := transport.GetBuffer()
		re.insert(uint64(10+i*8192), transport.Payload{B: buf.B[:8192], Buf: buf}, nil)
	}
	if pinned := re.bytes - re.copied; pinned > compactAbove {
		t.Fatalf("%d bytes pin read buffers, want at most %d", pinned, compactAbove)
	}
	re.release()
}
