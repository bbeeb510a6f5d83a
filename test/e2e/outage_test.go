//go:build linux

package e2e

import (
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"hawser/test/netlab"
)

// counter counts what passes.
type counter struct {
	r io.Reader
	n *atomic.Int64
}

func (c counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// download begins to receive content and tells how much has come, and how it ended.
func download(c net.Conn, n int64, seed uint64) (*atomic.Int64, <-chan error) {
	var got atomic.Int64
	done := make(chan error, 1)
	go func() {
		if _, err := c.Write(request(send, n, seed)); err != nil {
			done <- err
			return
		}
		done <- check(counter{c, &got}, n, seed)
	}()
	return &got, done
}

// gap watches for the longest time without progress.
func gap(got *atomic.Int64, d time.Duration) (longest time.Duration) {
	last, at := got.Load(), time.Now()
	for end := at.Add(d); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if n := got.Load(); n != last {
			longest, last, at = max(longest, time.Since(at)), n, time.Now()
		}
	}
	return max(longest, time.Since(at))
}

func TestBlackHoleInMidTransferLosesNothing(t *testing.T) {
	w := newWorld(t, netlab.IPv4, dsl(), dsl())
	const size = 150 << 20
	got, done := download(w.open(), size, 3)
	for i, dir := range []netlab.Direction{netlab.AToB, netlab.BToA, netlab.Both} {
		link := w.Home.Uplinks[i%2]
		time.Sleep(2 * time.Second) // traffic flows over both
		link.BlackHole(dir, true)
		if longest := gap(got, 1500*time.Millisecond); longest > time.Second {
			t.Errorf("%v: nothing arrived for %v", dir, longest)
		}
		link.BlackHole(dir, false)
		back, before := time.Now(), link.Bytes(netlab.BToA)
		for link.Bytes(netlab.BToA) < before+200_000 {
			if time.Since(back) > 10*time.Second {
				t.Fatalf("%v: the link carries no data %v after its return", dir, time.Since(back))
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// gone are the ways in which both uplinks vanish, and come back.
var gone = map[string]struct{ vanish, comeBack func(w *world) }{
	"black hole": {
		func(w *world) { w.each(func(_ int, l *netlab.Link) { l.BlackHole(netlab.Both, true) }) },
		func(w *world) { w.each(func(_ int, l *netlab.Link) { l.BlackHole(netlab.Both, false) }) },
	},
	"interface down": {
		func(w *world) { w.each(func(_ int, l *netlab.Link) { l.Down(netlab.SideA) }) },
		func(w *world) { w.each(func(_ int, l *netlab.Link) { l.Up(netlab.SideA) }) },
	},
	"other addresses": {
		func(w *world) {
			w.each(func(_ int, l *netlab.Link) { w.Home.Client.FlushAddrs(l.Interface(netlab.SideA)) })
		},
		func(w *world) {
			w.each(func(i int, l *netlab.Link) {
				w.Home.Client.AddAddr(l.Interface(netlab.SideA), other(l))
			})
		},
	},
}

func (w *world) each(f func(i int, l *netlab.Link)) {
	for i, l := range w.Home.Uplinks {
		f(i, l)
	}
}

// other is an address of the link's prefix that nobody has had.
func other(l *netlab.Link) string {
	a := l.Addr(netlab.SideB).As4()
	a[3] += 100
	return fmt.Sprintf("%d.%d.%d.%d/24", a[0], a[1], a[2], a[3])
}

func TestStreamOutlivesTheLossOfEveryUplink(t *testing.T) {
	for name, way := range gone {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, netlab.IPv4, slow(), slow())
			got, done := download(w.open(), 10<<20, 4)
			time.Sleep(2 * time.Second)
			way.vanish(w)
			time.Sleep(20 * time.Second)
			before := got.Load()
			if before == 0 || before == 10<<20 {
				t.Fatalf("%d bytes had come when the uplinks vanished: the test shows nothing", before)
			}
			way.comeBack(w)
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestStreamWritesForAMinuteWithoutAnyUplink(t *testing.T) {
	t.Parallel()
	w := newWorld(t, netlab.IPv4, slow(), slow())
	c := w.open()
	done := make(chan error, 1)
	const n = 30 << 20 // more than all buffers on the way
	begin := time.Now()
	w.each(func(_ int, l *netlab.Link) { l.Down(netlab.SideA) })
	go func() { done <- upload(c, n, 6) }()
	time.Sleep(time.Until(begin.Add(59 * time.Second)))
	select {
	case err := <-done:
		t.Fatalf("the transfer ended without any uplink: %v", err)
	default:
	}
	w.each(func(_ int, l *netlab.Link) { l.Up(netlab.SideA) })
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
