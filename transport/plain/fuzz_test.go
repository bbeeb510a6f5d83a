package plain

import (
	"bytes"
	"testing"

	"hawser/transport/wire"
)

// encode is a record as on the wire again.
func encode(r *record) []byte {
	switch r.Type {
	case typeOptions:
		return unsealed.appendRecord(nil, typeOptions, wire.AppendOptions(nil, r.Options...))
	case typeData:
		return dataRecord(r.Map, string(r.Payload.B))
	case typeAck:
		return unsealed.appendRecord(nil, typeAck, appendAck(nil, &r.Ack))
	}
	return unsealed.appendRecord(nil, r.Type, r.Token[:])
}

// resum makes checksums right, so that the fuzzer gets past them.
func resum(b []byte) {
	for {
		h, n := consumeHeader(b)
		size := h.whole()
		if n == 0 || len(b) < size {
			return
		}
		if !h.Sealed {
			unsealed.close(b[:size:size], 0)
		}
		b = b[size:]
	}
}

// FuzzRecords: what is accepted is the same again after encoding and parsing, holds no more than what came in, and does
// not depend on where the stream is cut.
func FuzzRecords(f *testing.F) {
	b, _ := conversation(f)
	f.Add(b[prefaceLen:], uint(20), true)
	for _, g := range golden {
		f.Add(unhex(f, g.bytes), uint(3), false)
	}
	f.Fuzz(func(t *testing.T, in []byte, cut uint, open bool) {
		in = bytes.Clone(in)
		resum(in)
		a := framer{preface: true, open: open}
		records, n, _, err := a.parse(in, nil, nil, len(in)+1)
		if n > len(in) || len(records) > n/headerLen {
			t.Fatalf("%d records of %d bytes from %d", len(records), n, len(in))
		}
		held := 0
		for i := range records {
			r := &records[i]
			held += cap(r.Payload.B) + 16*len(r.Options)
			again := framer{preface: true, open: true, received: uint64(r.Map.SSN) - 1}
			back, used, _, e := again.parse(encode(r), nil, nil, 1)
			if e != nil || used == 0 || len(back) != 1 {
				t.Fatalf("%+v is not accepted again: %v", r, e)
			}
			if r.Type == typeAck && r.Ack.DataAck.Window > 1<<32 {
				t.Fatalf("window of %+v", r)
			}
			if diff := differs(back[0], *r); diff != "" {
				t.Fatal(diff)
			}
		}
		if held > 8*len(in)+64 {
			t.Fatalf("%d bytes held for %d", held, len(in))
		}
		at := int(cut % uint(len(in)+1))
		c := framer{preface: true, open: open}
		split, rest, e := feed(&c, in[:at], in[at:])
		if len(split) != len(records) || (e == nil) != (err == nil) || err == nil && rest != len(in)-n {
			t.Fatalf("cut at %d: %d records, %v; whole: %d, %v", at, len(split), e, len(records), err)
		}
	})
}

// FuzzFirst: what a stranger sends first never costs more than its own bytes.
func FuzzFirst(f *testing.F) {
	f.Add(append(appendPreface(nil, preface{1, 0}), unhex(f, golden[0].bytes)...))
	f.Fuzz(func(t *testing.T, in []byte) {
		in = bytes.Clone(in[:min(len(in), firstBytes)])
		resum(in[min(len(in), prefaceLen):])
		options, used, err := parseFirst(in)
		switch {
		case used > len(in), used > 0 && err != nil, (used > 0) != (len(options) > 0):
			t.Fatalf("%d options, %d bytes used of %d, %v", len(options), used, len(in), err)
		case len(in) == firstBytes && used == 0 && err == nil:
			t.Fatal("undecided after all that may come")
		}
	})
}

func FuzzPreface(f *testing.F) {
	f.Add([]byte("hwsr\x01\x00\x00\x00"))
	f.Add([]byte("hw"))
	f.Fuzz(func(t *testing.T, in []byte) {
		p, n := consumePreface(in)
		switch {
		case n > 0:
			if n != prefaceLen || !bytes.Equal(appendPreface(nil, p)[:6], in[:6]) {
				t.Fatalf("%v %d of %x", p, n, in)
			}
		case n == 0:
			if len(in) >= prefaceLen || !bytes.HasPrefix([]byte(magic), in[:min(len(in), len(magic))]) {
				t.Fatalf("undecided on %x", in)
			}
		}
	})
}

func FuzzAck(f *testing.F) {
	f.Add(appendAck(nil, &testAck))
	f.Fuzz(func(t *testing.T, in []byte) {
		var a ackRecord
		n := consumeAck(in, &a)
		if n < 0 {
			return
		}
		if n != ackLen || !bytes.Equal(appendAck(nil, &a)[:20], in[:20]) {
			t.Fatalf("%v from %x", a, in)
		}
		var b ackRecord
		if consumeAck(appendAck(nil, &a), &b) != ackLen || a != b {
			t.Fatalf("%v again is %v", a, b)
		}
		if testing.AllocsPerRun(1, func() { consumeAck(in, &a) }) > 0 {
			t.Fatal("parsing allocates")
		}
	})
}
