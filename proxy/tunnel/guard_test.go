package tunnel

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"hawser/proxy/tunnel/tunneltest"
)

// record is a TLS record with a body of n bytes.
func record(n int) []byte {
	return append([]byte{23, 3, 3, byte(n >> 8), byte(n)}, bytes.Repeat([]byte{0xff}, n)...)
}

func TestGuardStopsAtTheEndsOfRecords(t *testing.T) {
	var all []byte
	var ends []int // of headers and bodies
	for _, n := range []int{1, 300, 0, 2, 700, 0} {
		ends = append(ends, len(all)+recordHeader, len(all)+recordHeader+n)
		all = append(all, record(n)...)
	}
	for _, c := range []struct{ segment, buffer int }{
		{1, 1}, {1, 64}, {3, 64}, {4, 2}, {7, 1 << 10}, {1000, 3}, {len(all), 1}, {len(all), 5}, {len(all), 1 << 20},
	} {
		t.Run(fmt.Sprintf("segments of %d buffer of %d", c.segment, c.buffer), func(t *testing.T) {
			a, b := tunneltest.Pipe(tunneltest.Line{Buffer: 1 << 20})
			for rest := all; len(rest) > 0; {
				n := min(c.segment, len(rest))
				if _, err := a.Write(rest[:n]); err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			g := newGuard(b)
			next := 0
			for got, buf := 0, make([]byte, c.buffer); got < len(all); {
				if n, err := g.Read(nil); n != 0 || err != nil {
					t.Fatalf("a read of nothing: %d, %v", n, err)
				}
				n, err := g.Read(buf)
				if err != nil || n == 0 || !bytes.Equal(buf[:n], all[got:got+n]) {
					t.Fatalf("at %d: %d bytes, %v", got, n, err)
				}
				for ends[next] <= got {
					next++
				}
				if got += n; got > ends[next] {
					t.Fatalf("a read went on to %d, past the end at %d", got, ends[next])
				}
			}
		})
	}
}

func TestGuardIsFreeOrClosedAfterTheWelcome(t *testing.T) {
	a, b := tunneltest.Pipe(tunneltest.Line{})
	if _, err := a.Write(bytes.Repeat(record(10), 20)); err != nil {
		t.Fatal(err)
	}
	g := newGuard(b)
	if n, err := io.ReadFull(g, make([]byte, 15)); n != 15 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	g.trusted.Store(true)
	if n, err := g.Read(make([]byte, 100)); n != 100 || err != nil {
		t.Errorf("trusted: %d bytes in one read, %v", n, err)
	}
	g.over.Store(true)
	_, err := g.Read(make([]byte, 100))
	wantErr(t, "read after the end of TLS", err, errTLSOver)
	_, err = g.Write([]byte("alert"))
	wantErr(t, "write after the end of TLS", err, errTLSOver)
	if n := b.Sent(); n != 0 {
		t.Errorf("TLS wrote %d bytes after its end", n)
	}
}
