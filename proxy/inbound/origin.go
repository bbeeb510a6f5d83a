package inbound

import (
	"io"
	"sync"
	"time"

	"hawser/proxy/relay"
)

// hangUp bounds how long a connection to an HTTP target may take to end in order.
const hangUp = 2 * time.Second

// origin is the stream to an HTTP target, as the net.Conn that net/http wants.
type origin struct {
	Stream
	meter  *relay.Meter
	closed sync.Once
}

func (o *origin) Read(b []byte) (int, error) {
	n, err := o.Stream.Read(b)
	o.meter.Out.Add(uint64(n))
	return n, err
}

func (o *origin) Write(b []byte) (int, error) {
	n, err := o.Stream.Write(b)
	o.meter.In.Add(uint64(n))
	return n, err
}

// Close ends the stream: in order when the target hangs up too, else by reset. A mux stream that was merely closed
// would leave the server writing into a window that nobody opens.
func (o *origin) Close() error {
	o.closed.Do(func() {
		o.meter.End()
		_ = o.SetDeadline(time.Now().Add(hangUp)) // wakes whoever reads or writes
		go o.hangUp()
	})
	return nil
}

func (o *origin) hangUp() {
	if o.CloseWrite() == nil {
		n, err := io.Copy(io.Discard, io.LimitReader(o.Stream, relay.BufferSize))
		if err == nil && n < relay.BufferSize {
			_ = o.Stream.Close() // both directions have ended
			return
		}
	}
	o.Reset()
}
