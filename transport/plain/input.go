package plain

import (
	"sync"
	"time"

	"hawser/transport"
	"hawser/transport/wire"
)

// record is a received record, parsed and verified.
type record struct {
	Type    recordType
	Sealed  bool
	Options []wire.Option     // OPTIONS
	Map     wire.Mapping      // DATA
	Payload transport.Payload // DATA
	Ack     ackRecord         // ACK
	Token   [probeLen]byte    // PING, PONG
}

// batch is what one read brought: the Input of the reading goroutine.
type batch struct {
	slots   <-chan struct{} // gives the reader its slot back
	at      time.Time       // when it was read
	records []record
	fin     bool  // the peer has half-closed
	err     error // the last thing that the reader says
}

// batches is shared by all subflows; its items hold no goroutine, channel or timer while they are in it.
var batches = sync.Pool{New: func() any { return new(batch) }}

// Release gives back payloads and the batch itself. What the loop has taken over is no longer in it.
func (b *batch) Release() {
	for i := range b.records {
		b.records[i].Payload.Release()
	}
	clear(b.records)
	if b.slots != nil {
		<-b.slots
	}
	*b = batch{records: b.records[:0]}
	batches.Put(b)
}

// dialled is the Input of the dialling goroutine.
type dialled struct {
	sock Socket
	err  error
}

// Release closes a connection that nobody wants any more.
func (d *dialled) Release() {
	if d.sock != nil {
		_ = d.sock.Reset()
		d.sock = nil
	}
}

// writable is the Input of the waiting goroutine. An error of the wait is not in it: the reader or the next write
// meets it too.
type writable struct{}

// Release has nothing to give back.
func (writable) Release() {}

// roomy is what the loop posts to itself when Flush has made room that Send did not have before.
type roomy struct{}

// Release has nothing to give back.
func (roomy) Release() {}
