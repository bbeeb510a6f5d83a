//go:build linux

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"hawser/test/netlab"
)

// check compares what c brings until its end with the content expected.
func check(c io.Reader, n int64, seed uint64) error {
	want, _, err := hashOf(content(n, seed))
	if err != nil {
		return err
	}
	got, m, err := hashOf(c)
	switch {
	case err != nil:
		return fmt.Errorf("after %d of %d bytes: %w", m, n, err)
	case m != n:
		return fmt.Errorf("%d of %d bytes came", m, n)
	case got != want:
		return fmt.Errorf("the hashes of %d bytes differ", n)
	}
	return nil
}

func TestCurlThroughTheProxyOverTwoLinks(t *testing.T) {
	for name, family := range map[string]netlab.Family{"IPv4": netlab.IPv4, "IPv6": netlab.IPv6} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, family, dsl(), dsl())
			for _, scheme := range []string{"socks5h", "socks4a", "http"} {
				if scheme == "socks4a" && family == netlab.IPv6 {
					continue // curl's SOCKS4a sends an IPv6 literal as a name, which is none
				}
				w.curl(scheme, 4<<20)
			}
			for i, l := range w.Home.Uplinks {
				if n := l.Bytes(netlab.Both); n < 2<<20 {
					t.Errorf("link %d carried %d bytes of 12 MB, want a fair share", i, n)
				}
			}
		})
	}
}

// curl fetches content with the real curl.
func (w *world) curl(scheme string, n int64) {
	w.t.Helper()
	c := w.Home.Client.Command(w.t.Context(), "curl", "-sS", "--fail", "--max-time", "60",
		"-x", scheme+"://127.0.0.1:1080", fmt.Sprintf("%s/%d/%d", w.url, n, 7))
	var out, complaint bytes.Buffer
	c.Stdout, c.Stderr = &out, &complaint
	if err := c.Run(); err != nil {
		w.t.Fatalf("curl by %s: %v: %s", scheme, err, complaint.String())
	}
	if err := check(&out, n, 7); err != nil {
		w.t.Fatalf("curl by %s: %v", scheme, err)
	}
}

func TestGigabyteArrivesWhole(t *testing.T) {
	w := newWorld(t, netlab.IPv4, netlab.LinkConfig{}, netlab.LinkConfig{})
	if err := receive(w.open(), 1<<30, 1); err != nil {
		t.Fatal(err)
	}
}

// upload sends content to the target and compares the hash that it answers after our end.
func upload(c *net.TCPConn, n int64, seed uint64) error {
	if _, err := c.Write(request(swallow, 0, 0)); err != nil {
		return err
	}
	if _, err := io.Copy(c, content(n, seed)); err != nil {
		return err
	}
	return checkAnswer(c, n, seed)
}

func checkAnswer(c *net.TCPConn, n int64, seed uint64) error {
	if err := c.CloseWrite(); err != nil {
		return err
	}
	want, _, err := hashOf(content(n, seed))
	if err != nil {
		return err
	}
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, want[:]) {
		return fmt.Errorf("the target's hash of %d bytes is %x, want %x (%v)", n, got, want, err)
	}
	return nil
}

func TestTargetAnswersAfterTheClientsEnd(t *testing.T) {
	w := newWorld(t, netlab.IPv4, dsl(), dsl())
	if err := upload(w.open(), 3<<20, 5); err != nil {
		t.Fatal(err)
	}
}

// swap sends and receives content at once, and ends each direction by itself.
func swap(c *net.TCPConn, n int64, seed uint64) error {
	if _, err := c.Write(request(both, n, seed)); err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() {
		_, err := io.Copy(c, content(n, seed+1))
		if err == nil {
			err = c.CloseWrite()
		}
		sent <- err
	}()
	if err := check(io.LimitReader(c, n), n, seed); err != nil {
		return err
	}
	if err := <-sent; err != nil {
		return err
	}
	want, _, _ := hashOf(content(n, seed+1))
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, want[:]) {
		return fmt.Errorf("the target's hash is %x, want %x (%v)", got, want, err)
	}
	return nil
}

func TestTwoHundredStreamsBothWaysWhileALinkFlaps(t *testing.T) {
	w := newWorld(t, netlab.IPv4,
		netlab.LinkConfig{ARate: 100 * netlab.Mbit, BRate: 100 * netlab.Mbit, Delay: 5 * time.Millisecond},
		netlab.LinkConfig{ARate: 100 * netlab.Mbit, BRate: 100 * netlab.Mbit, Delay: 5 * time.Millisecond})
	stop := make(chan struct{})
	var flapping sync.WaitGroup
	flapping.Go(func() {
		for down := true; ; down = !down {
			w.Home.Uplinks[1].BlackHole(netlab.Both, down)
			select {
			case <-stop:
				w.Home.Uplinks[1].BlackHole(netlab.Both, false)
				return
			case <-time.After(700 * time.Millisecond):
			}
		}
	})
	errs := make(chan error, 200)
	for i := range 200 {
		c := w.open()
		go func() { errs <- swap(c, 1<<20, uint64(1000*i)) }()
	}
	for range 200 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	close(stop)
	flapping.Wait()
}

func TestResetPassesBothWays(t *testing.T) {
	w := newWorld(t, netlab.IPv4, dsl(), dsl())
	c := w.open()
	if _, err := c.Write(request(reset, 0, 0)); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := c.Read(make([]byte, 1)); err == nil || err == io.EOF || isTimeout(err) {
		t.Fatalf("after the target's reset the application reads %v, want a reset", err)
	}
	before := resets.Load()
	c = w.open()
	if _, err := c.Write(append(request(swallow, 0, 0), "some bytes"...)); err != nil {
		t.Fatal(err)
	}
	_ = c.SetLinger(0)
	_ = c.Close()
	for end := time.Now().Add(10 * time.Second); resets.Load() == before; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the application's reset did not reach the target as one")
		}
	}
}

func isTimeout(err error) bool {
	t, ok := err.(net.Error)
	return ok && t.Timeout()
}

func TestReaderThatStopsHoldsBackItselfOnly(t *testing.T) {
	fast := netlab.LinkConfig{ARate: 100 * netlab.Mbit, BRate: 100 * netlab.Mbit, Delay: 5 * time.Millisecond}
	w := newWorld(t, netlab.IPv4, fast, fast)
	for range 4 {
		c := w.open()
		if _, err := c.Write(request(send, 1<<30, 1)); err != nil {
			t.Fatal(err)
		} // and never read
	}
	w.awaitQuiet()
	begin := time.Now()
	const n = 20 << 20
	if err := receive(w.open(), n, 2); err != nil {
		t.Fatal(err)
	}
	if rate := n * 8 / time.Since(begin).Seconds(); rate < 60e6 {
		t.Errorf("beside readers that have stopped a stream gets %.1f Mbit/s of 200", rate/1e6)
	}
}

// awaitQuiet waits until every buffer on the way to readers that have stopped is full.
func (w *world) awaitQuiet() {
	w.t.Helper()
	for end := time.Now().Add(60 * time.Second); ; {
		before := w.bytes()
		time.Sleep(500 * time.Millisecond)
		if w.bytes()-before < 100_000 {
			return
		}
		if time.Now().After(end) {
			w.t.Fatal("bytes for readers that have stopped flow without end")
		}
	}
}

// bytes is what all links have carried.
func (w *world) bytes() (sum int64) {
	w.each(func(_ int, l *netlab.Link) { sum += l.Bytes(netlab.Both) })
	return sum
}
