//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"net"
	"sync/atomic"
	"time"
)

// A dialer opens a connection to the sink.
type dialer func(ctx context.Context) (net.Conn, error)

// transfer is a bulk transfer over one connection. received counts at the receiving application.
type transfer struct {
	conn     net.Conn
	received *atomic.Int64
	begin    time.Time // before the connection was opened
	series   []sample  // by record
}

// sample is what had been received at a time after the beginning.
type sample struct {
	at    time.Duration
	bytes int64
}

// dial opens a connection and begins to download or upload over it.
func (s *sink) dial(ctx context.Context, dial dialer, upload bool) (*transfer, error) {
	begin := time.Now()
	c, err := dial(ctx)
	if err != nil {
		return nil, err
	}
	t, err := s.start(c, upload)
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	t.begin = begin
	return t, nil
}

// start begins to download or upload over c, a connection to the sink.
func (s *sink) start(c net.Conn, upload bool) (*transfer, error) {
	t := &transfer{conn: c, begin: time.Now()}
	if !upload {
		t.received = new(atomic.Int64)
		if _, err := c.Write([]byte{askDownload}); err != nil {
			return nil, err
		}
		go drain(c, t.received)
		return t, nil
	}
	number, counter := s.counter()
	t.received = counter
	if _, err := c.Write(binary.BigEndian.AppendUint64([]byte{askUpload}, number)); err != nil {
		return nil, err
	}
	go func() { _ = pump(c) }()
	return t, nil
}

// stop ends the transfer at once: what is still in the buffers is thrown away.
func (t *transfer) stop() {
	if c, ok := t.conn.(*net.TCPConn); ok {
		_ = c.SetLinger(0)
	}
	_ = t.conn.Close()
}

// sampleStep is the time between two samples of a series.
const sampleStep = 10 * time.Millisecond

// record watches the transfer until so much time has passed since it began.
func (t *transfer) record(ctx context.Context, until time.Duration) {
	tick := time.NewTicker(sampleStep)
	defer tick.Stop()
	for at := time.Since(t.begin); ; at = time.Since(t.begin) {
		t.series = append(t.series, sample{at, t.received.Load()})
		if at >= until {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// last is the newest sample.
func (t *transfer) last() sample {
	if len(t.series) == 0 {
		return sample{}
	}
	return t.series[len(t.series)-1]
}

// rate is the goodput between two samples, in bit/s.
func (s sample) rate(from sample) float64 {
	return float64(s.bytes-from.bytes) * 8 / (s.at - from.at).Seconds()
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
