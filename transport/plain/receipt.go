package plain

import (
	"time"

	"hawser/transport"
)

const (
	ackDelay    = 5 * time.Millisecond // protocol.md §1.4
	ackEveryMin = 16 << 10
	ackEveryMax = 64 << 10
	// ackShare of the receiving rate, as time, sets the bytes per acknowledgement between those two.
	ackShare = 2500 * time.Microsecond
	// ackPause of the receiving rate, as time, is the least that is worth an acknowledgement, whatever its bytes: each is
	// a write, a packet, and a wake-up of two goroutines at the other end. It counts above 1 Gbit/s, up to ackEveryFast.
	ackPause     = 500 * time.Microsecond
	ackEveryFast = 256 << 10
)

// receipt is the receiving half of carrier acknowledgements: what has arrived, what the peer has been told, and when
// it must be told more.
type receipt struct {
	set      bool              // the session has said what to acknowledge: before that no ACK may leave
	now      bool              // due with the next Flush
	slot     transport.DataAck // the newest
	offset   uint64            // payload bytes received
	told     uint64            // offset in the last ACK
	arrival  time.Time         // when the last byte was read; zero: none
	oldest   time.Time         // when the first byte after told was read
	received rateMeter
}

// add books n payload bytes read at the time given.
func (r *receipt) add(at time.Time, n int) {
	if r.offset == r.told {
		r.oldest = at
	}
	r.offset += uint64(n)
	r.arrival = at
	r.received.add(at, r.offset)
	if r.offset-r.told >= uint64(r.every()) {
		r.now = true
	}
}

// every is the number of bytes after which an ACK is due.
func (r *receipt) every() int { return ackEvery(&r.received) }

// ackEvery is receipt.every for a rate that is received.
func ackEvery(m *rateMeter) int {
	return max(min(max(m.in(ackShare), ackEveryMin), ackEveryMax), min(m.in(ackPause), ackEveryFast))
}

// deadline is when the bytes not told of yet are due; zero: none are, or an ACK is due already.
func (r *receipt) deadline() time.Time {
	if !r.set || r.now || r.offset == r.told {
		return time.Time{}
	}
	return r.oldest.Add(ackDelay)
}

// advance makes an ACK due whose time has come.
func (r *receipt) advance(now time.Time) {
	if d := r.deadline(); !d.IsZero() && !now.Before(d) {
		r.now = true
	}
}

// due says whether an ACK must leave with this Flush. Beside data one leaves as soon as it has something new to say:
// there it costs no write, no packet and no wake-up of its own.
func (r *receipt) due(beside bool) bool { return r.set && (r.now || beside && r.offset != r.told) }

// take is the ACK to send now.
func (r *receipt) take(now time.Time) ackRecord {
	arrival := r.arrival
	if arrival.IsZero() || arrival.After(now) {
		arrival = now
	}
	r.told, r.now = r.offset, false
	return ackRecord{
		Offset:  r.offset,
		Arrival: microseconds(arrival),
		Delay:   uint32(now.Sub(arrival) / time.Microsecond),
		DataAck: r.slot,
	}
}
