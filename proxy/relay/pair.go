package relay

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
)

// ErrReset is what Run returns, wrapped together with the cause, when the pair was broken off.
var ErrReset = errors.New("relay: reset")

// pair is one local connection and one stream. Two goroutines share it: in reads the local connection, out reads the
// stream; what both touch is atomic.
type pair struct {
	local  net.Conn
	stream Stream
	meter  *Meter
	early  []byte        // owned by in; nil once it is written
	socket *socketSource // nil: local is not a TCP socket

	inDone  atomic.Bool
	outDone atomic.Bool
	aborted atomic.Bool
	stall   stall
}

// Run copies both ways until both directions have ended in order (nil), or one was broken off (an error that wraps
// ErrReset and the cause): then the other side is reset too. Cancelling ctx resets both sides. Both connections are
// closed when it returns.
//
// early is what was already read from local; it goes to the stream first and is not kept. meter may be nil.
func Run(ctx context.Context, local net.Conn, stream Stream, early []byte, meter *Meter) error {
	if meter == nil {
		meter = new(Meter)
	}
	meter.Begin()
	defer meter.End()

	p := &pair{local: local, stream: stream, meter: meter, early: early}
	stop := context.AfterFunc(ctx, p.abort)
	defer stop()

	var inErr error
	var wg sync.WaitGroup
	wg.Go(func() { inErr = p.in() })
	outErr := p.out()
	wg.Wait()
	_ = p.stream.Close() // both directions have ended: nothing can fail that would matter
	_ = p.local.Close()

	err := cause(inErr, outErr)
	if ctx.Err() != nil && p.aborted.Load() {
		err = context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrReset, err)
	}
	return nil
}

// cause picks the error that came first: the later one only says that we have closed the connection ourselves.
func cause(a, b error) error {
	if a == nil || (b != nil && errors.Is(a, net.ErrClosed)) {
		return b
	}
	return a
}

// abort breaks off both sides. It may be called from any goroutine and more than once.
func (p *pair) abort() {
	if p.aborted.Swap(true) {
		return
	}
	p.stream.Reset()
	Abort(p.local)
}

// Abort closes c so that the peer sees a reset where the transport knows one (TCP: RST by SO_LINGER 0; what is still
// unsent is lost).
func Abort(c net.Conn) {
	if l, ok := c.(interface{ SetLinger(sec int) error }); ok {
		_ = l.SetLinger(0) // fails on a dead socket only
	}
	_ = c.Close()
}
