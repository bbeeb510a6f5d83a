package plain

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"hawser/transport"
	"hawser/transport/wire"
)

// ackLen is the length of an ACK record's value (protocol.md §1.4).
const ackLen = 32

// ackRecord is the value of an ACK record.
type ackRecord struct {
	Offset  uint64
	Arrival uint32 // µs
	Delay   uint32 // µs
	DataAck transport.DataAck
}

// String prints the record as logs and tests show it.
func (a ackRecord) String() string {
	return fmt.Sprintf("ACK offset=%d arrival=%dµs delay=%dµs ack=%016x window=%d",
		a.Offset, a.Arrival, a.Delay, a.DataAck.Ack, a.DataAck.Window)
}

// appendAck adds the value as on the wire. A window beyond 32 bits is sent as the largest that fits.
func appendAck(b []byte, a *ackRecord) []byte {
	b = binary.BigEndian.AppendUint64(b, a.Offset)
	b = binary.BigEndian.AppendUint32(b, a.Arrival)
	b = binary.BigEndian.AppendUint32(b, a.Delay)
	b = binary.BigEndian.AppendUint32(b, uint32(min(a.DataAck.Window, math.MaxUint32)))
	return wire.AppendDSS(b, &wire.DSS{HasAck: true, AckWide: true, Ack: a.DataAck.Ack})
}

// consumeAck reads the value into a and returns ackLen; negative for bad input.
func consumeAck(b []byte, a *ackRecord) int {
	if len(b) < ackLen {
		return -1
	}
	var d wire.DSS
	if d.Consume(b[20:ackLen]) != ackLen-20 || !d.HasAck || !d.AckWide || d.HasMap {
		return -1
	}
	*a = ackRecord{
		Offset:  binary.BigEndian.Uint64(b),
		Arrival: binary.BigEndian.Uint32(b[8:]),
		Delay:   binary.BigEndian.Uint32(b[12:]),
		DataAck: transport.DataAck{
			Ack: d.Ack, Wide: true, Window: uint64(binary.BigEndian.Uint32(b[16:])),
		},
	}
	return ackLen
}

// origin is where the clock of ACK records starts: one for the process, monotonic.
var origin = time.Now()

// microseconds is t on the clock of ACK records, modulo 2³².
func microseconds(t time.Time) uint32 { return uint32(t.Sub(origin) / time.Microsecond) }
