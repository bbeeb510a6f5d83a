package link

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	// chunkSize is how much is shaped at once: 1.6 ms at 20 Mbit/s.
	chunkSize = 4 << 10
	// maxChunks bounds what is under way in a connection beside its bytes, for chunks may be small.
	maxChunks = 4096
)

// lane is one direction of a link, which all connections share.
type lane struct {
	gate  *gate
	bytes atomic.Uint64 // delivered

	mu     sync.Mutex
	shaper shaper
}

// chunk is a part of a connection's byte stream.
type chunk struct {
	due time.Time
	b   []byte
	err error // in place of bytes: how the stream ended; io.EOF: in order
}

// carry forwards src to dst until src ends or ctx does, and returns when dst has been told: nil for an end in order.
func (l *lane) carry(ctx context.Context, dst, src net.Conn) error {
	ctx, cancel := context.WithCancel(ctx)
	var reader sync.WaitGroup
	defer reader.Wait()
	defer cancel()
	chunks := make(chan chunk, maxChunks)
	room := semaphore.NewWeighted(int64(l.shaper.underWay()))
	context.AfterFunc(ctx, func() { _ = src.SetReadDeadline(time.Unix(1, 0)) }) // wakes the reader, also at our own end
	reader.Go(func() { l.read(ctx, src, chunks, room) })
	for {
		select {
		case c := <-chunks:
			if err := l.deliver(ctx, dst, c); err != nil || c.b == nil {
				return err
			}
			room.Release(int64(len(c.b)))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// read cuts src into chunks, as fast as the line takes them.
func (l *lane) read(ctx context.Context, src net.Conn, chunks chan<- chunk, room *semaphore.Weighted) {
	buffer := make([]byte, chunkSize)
	for {
		if l.gate.pass(ctx) != nil || l.await(ctx) != nil {
			return
		}
		n, err := src.Read(buffer)
		if n > 0 {
			if room.Acquire(ctx, int64(n)) != nil || !l.enter(ctx, chunks, chunk{b: append([]byte(nil), buffer[:n]...)}) {
				return
			}
		}
		if err != nil {
			l.enter(ctx, chunks, chunk{err: err})
			return
		}
	}
}

// await returns when the queue has room.
func (l *lane) await(ctx context.Context) error {
	for {
		l.mu.Lock()
		wait := l.shaper.wait(time.Now())
		l.mu.Unlock()
		if wait <= 0 {
			return ctx.Err()
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// enter puts a chunk on the line.
func (l *lane) enter(ctx context.Context, chunks chan<- chunk, c chunk) bool {
	l.mu.Lock()
	c.due = l.shaper.pass(time.Now(), len(c.b))
	l.mu.Unlock()
	select {
	case chunks <- c:
		return true
	case <-ctx.Done():
		return false
	}
}

// deliver hands a chunk over when it is due and the link is not cut.
func (l *lane) deliver(ctx context.Context, dst net.Conn, c chunk) error {
	if err := sleep(ctx, time.Until(c.due)); err != nil {
		return err
	}
	if err := l.gate.pass(ctx); err != nil {
		return err
	}
	switch {
	case c.b != nil:
		n, err := dst.Write(c.b)
		l.bytes.Add(uint64(n))
		return err
	case errors.Is(c.err, io.EOF):
		return closeWrite(dst)
	}
	return c.err
}

// closeWrite ends one direction of a connection in order.
func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Close()
}

// sleep waits for d, or for the end of ctx, whose error it returns.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
