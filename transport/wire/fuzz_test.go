package wire

import (
	"bytes"
	"testing"
)

// roundTrip checks what was consumed from b[:n]: it appends to the same number of bytes (a port of 0 is left out),
// and these are consumed to the same value.
func roundTrip(t *testing.T, o Option, b []byte, n int) {
	t.Helper()
	again := o.Append(nil)
	if a, isAddr := o.(AddAddr); len(again) != n && !(isAddr && a.Port == 0 && len(again) == n-2) {
		t.Errorf("%v: %x came back as %x", o, b[:n], again)
	}
	if p, used := ConsumeOption(again); p != o || used != len(again) {
		t.Errorf("%v came back as %v, %d of %d bytes", o, p, used, len(again))
	}
	if o.String() == "" {
		t.Errorf("%#v does not print", o)
	}
}

func FuzzConsumeOption(f *testing.F) {
	for _, g := range goldens(f) {
		f.Add(unhex(f, g.bytes))
	}
	f.Add([]byte{KindMPTCP, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		o, n := ConsumeOption(b)
		if n > len(b) || n > 255 || n == 0 || n < 0 && o != nil {
			t.Fatalf("%x: got %v, %d", b, o, n)
		}
		if o != nil {
			roundTrip(t, o, b, n)
		}
	})
}

func FuzzConsumeOptions(f *testing.F) {
	var all []byte
	for _, g := range goldens(f) {
		f.Add(unhex(f, g.bytes))
		all = append(all, unhex(f, g.bytes)...)
	}
	f.Add(all)
	f.Add(all[:len(all)-1])
	f.Fuzz(func(t *testing.T, b []byte) {
		os, n := ConsumeOptions(b, nil)
		if len(os) > len(b)/headerLen {
			t.Fatalf("%d options of %d bytes", len(os), len(b))
		}
		if n >= 0 && n != len(b) {
			t.Fatalf("%d of %d bytes used", n, len(b))
		}
		again, m := ConsumeOptions(AppendOptions(nil, os...), nil)
		if m < 0 || len(again) != len(os) {
			t.Fatalf("%v came back as %v, %d", os, again, m)
		}
		for i := range os {
			if os[i] != again[i] {
				t.Errorf("%v came back as %v", os[i], again[i])
			}
		}
	})
}

func FuzzDSS(f *testing.F) {
	for _, g := range goldens(f) {
		if _, ok := g.option.(DSS); ok {
			f.Add(unhex(f, g.bytes))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var d DSS
		n := d.Consume(b)
		o, m := ConsumeOption(b)
		if n < 0 {
			if _, ok := o.(DSS); ok {
				t.Fatalf("%x: ConsumeOption reads %v, Consume does not", b, o)
			}
			return
		}
		if o != Option(d) || n != m || n > MaxDSS {
			t.Fatalf("%x: Consume reads %v, %d; ConsumeOption %v, %d", b, d, n, o, m)
		}
		roundTrip(t, d, b, n)
		if again := AppendDSS(nil, &d); !bytes.Equal(again[4:], b[4:n]) {
			t.Fatalf("%x came back as %x", b[:n], again)
		}
	})
}
