package plain_test

import (
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"hawser/transport"
	"hawser/transport/plain"
	"hawser/transport/wire"
)

// TestSlowReceiver: a peer that reads a little whenever the sender has no room. A wake-up of the kernel that is lost
// leaves the sender waiting for ever.
func TestSlowReceiver(t *testing.T) {
	const rounds = 300
	ln, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	r := newRig(t)
	t.Cleanup(r.closeAll)
	e := r.end("client")
	reads, total := make(chan int, 1), make(chan int64, 1)
	done := 0 // reads that are over, as far as the loop has heard
	finished := make(chan struct{}, rounds)
	go slowPeer(ln, reads, total, func() {
		finished <- struct{}{}
		r.box.put(posted{e, nop{}})
	})
	path := transport.Path{Uplink: "lo", Remote: ln.Addr().(*net.TCPAddr).AddrPort()}
	e.sub = plain.NewCarrier("").Open(path, r.post(e))
	r.until("connected", 5*time.Second, func() bool { return e.has(transport.EventConnected) })
	block := noise(64 << 10)
	var sent int64
	e.onTurn = func(_ time.Time, e *end) {
		for {
			n := e.sub.Send(wire.Mapping{DSN: uint64(sent)}, block)
			if n <= 0 {
				return
			}
			sent += int64(n)
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range rounds {
		r.until("no room", 10*time.Second, func() bool { return e.sub.State().Room == 0 })
		reads <- 1 + rng.IntN(300<<10)
		r.until("the peer to get its bytes", 10*time.Second, func() bool {
			for len(finished) > 0 {
				<-finished
				done++
			}
			return done == i+1
		})
	}
	e.onTurn = nil
	e.sub.Close()
	close(reads)
	r.until("all written", 10*time.Second, func() bool { return e.sub.State().Written == uint64(sent) })
	if got := <-total; got < sent {
		t.Fatalf("the peer read %d bytes, %d payload bytes were sent", got, sent)
	}
}

// slowPeer reads as many bytes as it is told, and in the end all.
func slowPeer(ln *net.TCPListener, reads <-chan int, total chan<- int64, over func()) {
	conn, err := ln.AcceptTCP()
	if err != nil {
		total <- 0
		return
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetReadBuffer(64 << 10)
	var sum int64
	for n := range reads {
		k, _ := io.CopyN(io.Discard, conn, int64(n))
		sum += k
		over()
	}
	k, _ := io.Copy(io.Discard, conn)
	total <- sum + k
}
