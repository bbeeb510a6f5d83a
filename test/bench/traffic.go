//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// What the first byte on a connection asks the sink for.
const (
	askDownload byte = iota + 1 // send for as long as the connection lives
	askUpload                   // receive, and tell how much every 2 ms as 8 bytes
	askEcho                     // send back what comes
	askBytes                    // 8 bytes follow: send that many, then end the direction
)

// sink is the target of all measurements.
type sink struct {
	net.Listener
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// serveSink serves what ln accepts until Close.
func serveSink(ln net.Listener) *sink {
	s := &sink{Listener: ln, conns: make(map[net.Conn]struct{})}
	go s.serve()
	return s
}

func (s *sink) serve() {
	for {
		c, err := s.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[c] = struct{}{}
		s.mu.Unlock()
		go func() {
			serveOne(c)
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
		}()
	}
}

// Close ends every connection as well: when its namespace is removed no end arrives any more.
func (s *sink) Close() error {
	err := s.Listener.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
	return err
}

func serveOne(c net.Conn) {
	defer c.Close()
	var ask [1]byte
	if _, err := io.ReadFull(c, ask[:]); err != nil {
		return
	}
	switch ask[0] {
	case askDownload:
		_ = pump(c)
	case askUpload:
		var total atomic.Int64
		go tell(c, &total)
		drain(c, &total)
	case askEcho:
		echo(c)
	case askBytes:
		var n [8]byte
		if _, err := io.ReadFull(c, n[:]); err == nil {
			_, _ = io.CopyN(c, zeros{}, int64(binary.BigEndian.Uint64(n[:])))
		}
	}
}

// echo sends back what comes. io.Copy would splice, and hold a pipe for each idle connection.
func echo(c net.Conn) {
	var b [512]byte
	for {
		n, err := c.Read(b[:])
		if err != nil {
			return
		}
		if _, err := c.Write(b[:n]); err != nil {
			return
		}
	}
}

// zeros is an endless source.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// pump writes until the connection ends.
func pump(c net.Conn) error {
	buf := make([]byte, 256<<10)
	for {
		if _, err := c.Write(buf); err != nil {
			return err
		}
	}
}

// drain reads until the connection ends.
func drain(c net.Conn, total *atomic.Int64) {
	buf := make([]byte, 256<<10)
	for {
		n, err := c.Read(buf)
		total.Add(int64(n))
		if err != nil {
			return
		}
	}
}

// tell reports a receiver's count to the sender.
func tell(c net.Conn, total *atomic.Int64) {
	for range time.Tick(2 * time.Millisecond) {
		if _, err := c.Write(binary.BigEndian.AppendUint64(nil, uint64(total.Load()))); err != nil {
			return
		}
	}
}

// transfer is a bulk transfer over one connection. received counts at the receiving application.
type transfer struct {
	conn     net.Conn
	received atomic.Int64
}

// startTransfer begins to download or upload over c.
func startTransfer(c net.Conn, upload bool) (*transfer, error) {
	t := &transfer{conn: c}
	ask := askDownload
	if upload {
		ask = askUpload
	}
	if _, err := c.Write([]byte{ask}); err != nil {
		return nil, err
	}
	if !upload {
		go drain(c, &t.received)
		return t, nil
	}
	go func() { _ = pump(c) }()
	go func() {
		var n [8]byte
		for {
			if _, err := io.ReadFull(c, n[:]); err != nil {
				return
			}
			t.received.Store(int64(binary.BigEndian.Uint64(n[:])))
		}
	}()
	return t, nil
}

// rate measures the goodput in bit/s from now.
func (t *transfer) rate(ctx context.Context, d time.Duration) float64 {
	from, begin := t.received.Load(), time.Now()
	pause(ctx, d)
	return float64(t.received.Load()-from) * 8 / time.Since(begin).Seconds()
}

// largestGap watches for the longest time without progress.
func (t *transfer) largestGap(ctx context.Context, d time.Duration) time.Duration {
	var gap time.Duration
	last, at := t.received.Load(), time.Now()
	for end := at.Add(d); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(time.Millisecond) {
		now := time.Now()
		if n := t.received.Load(); n != last {
			gap, last, at = max(gap, now.Sub(at)), n, now
		}
	}
	return max(gap, time.Since(at))
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// goodput opens a connection, waits for it to get going, and measures.
func goodput(ctx context.Context, dial func(context.Context) (net.Conn, error), upload bool, warm, d time.Duration) (float64, error) {
	c, err := dial(ctx)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	t, err := startTransfer(c, upload)
	if err != nil {
		return 0, err
	}
	pause(ctx, warm)
	return t.rate(ctx, d), ctx.Err()
}
