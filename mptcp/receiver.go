package mptcp

import (
	"time"

	"hawser/transport"
	"hawser/transport/wire"
)

// Sizes of the receive window, bytes.
const (
	startWindow = 256 << 10 // of an authenticated connection that has not yet received much
	busyWindow  = 4 << 20   // of one that has: performance needs it to bridge the detection of a dead path
)

// recvWindow is the connection's one receive window (RFC 8684 §3.3.4): size is reserved from the memory budget when it
// is advertised, and grows with what the application takes per round trip. Owned by the loop.
type recvWindow struct {
	size  int
	edge  uint64 // right edge advertised; never moves back
	since time.Time
	base  uint64 // consumed at since
}

func (w *recvWindow) start(now time.Time, dsn uint64) {
	w.size, w.edge, w.since = strangerBytes, dsn+strangerBytes, now
}

// grow enlarges the window to want, if the budget has it. The first freeBytes of a connection are not counted.
func (w *recvWindow) grow(b *Budget, want, limit int) {
	want = min(want, limit)
	if want <= w.size {
		return
	}
	if more := max(want, freeBytes) - max(w.size, freeBytes); more > 0 && !b.reserveWindow(more) {
		return
	}
	w.size = want
}

func (w *recvWindow) release(b *Budget) {
	if over := w.size - freeBytes; over > 0 {
		b.Release(over)
	}
	w.size = 0
}

// tune sizes the window: twice what the application took in the last round trip of the slowest path, what waits for
// reassembly, and never less than what bridges the loss of a path (dynamic right-sizing, at the connection level).
func (k *core) tune(now time.Time, consumed uint64) {
	w := &k.window
	if consumed > strangerBytes {
		w.grow(k.cfg.Budget, busyWindow, k.cfg.Window)
	}
	if now.Sub(w.since) < k.slowestRTT() {
		return
	}
	took := int(consumed - w.base)
	w.since, w.base = now, consumed
	if want := 2*took + 2*k.recv.bytes; want > w.size {
		w.grow(k.cfg.Budget, max(want, w.size*3/2), k.cfg.Window)
	}
}

// slowestRTT is the longest round trip of the working paths, within 10 ms and 1 s.
func (k *core) slowestRTT() time.Duration {
	rtt := 10 * time.Millisecond
	for _, s := range k.subs {
		if s.phase == phaseActive {
			rtt = max(rtt, s.rtt.srtt)
		}
	}
	return min(rtt, time.Second)
}

// deliver hands what is in order to Read and says on the subflows what was received.
func (k *core) deliver(now time.Time) {
	if len(k.out) > 0 {
		k.conn.in.put(k.out)
		clear(k.out)
		k.out = k.out[:0]
	}
	if !k.knowRemote || k.state == ConnConnecting {
		return
	}
	consumed := k.conn.in.progress(uint64(k.window.size / 8))
	if k.trusted {
		k.tune(now, consumed)
	}
	edge := k.inDSN + consumed + uint64(k.window.size)
	opened := wire.DSNLess(k.window.edge, edge) && edge-k.window.edge >= uint64(k.window.size/8)
	if wire.DSNLess(k.window.edge, edge) && (opened || k.news) {
		k.window.edge = edge
	}
	if opened || k.news {
		k.acknowledge(now, opened)
	}
}

// ackEvery is after how many bytes the quickest subflow is told of data that arrived on another one, and ackPause the
// least time between two such: above 500 Mbit/s every 32 kB would be thousands of writes and packets a second.
const (
	ackEvery = 32 << 10
	ackPause = 500 * time.Microsecond
)

// acknowledge sets the DATA_ACK and the window on every working subflow. It leaves with the carrier's own
// acknowledgement where data arrived; on the quickest subflow it is pushed, every ackEvery bytes and when the window
// has opened, because it frees the peer's memory and moves its window.
func (k *core) acknowledge(now time.Time, opened bool) {
	k.news = false
	next := k.ackNumber()
	da := transport.DataAck{Ack: next, Wide: true, Window: k.window.edge - k.recv.next}
	push := opened || next-k.pushed >= ackEvery && now.Sub(k.toldAt) >= ackPause || k.fin.peerDone
	quick := k.quickest()
	for _, s := range k.subs {
		if s.works() {
			s.carrier.Ack(da, push && s == quick)
		}
	}
	if push {
		k.pushed, k.toldAt = next, now
	}
}

// ackNumber is the DATA_ACK: the next data sequence number expected, the DATA_FIN counted (RFC 8684 §3.3.3).
func (k *core) ackNumber() uint64 {
	if k.fin.peerDone {
		return k.recv.next + 1
	}
	return k.recv.next
}

// quickest is the working subflow with the smallest round trip, suspects last; nil: none.
func (k *core) quickest() *subflow {
	var best *subflow
	for _, s := range k.subs {
		if !s.works() {
			continue
		}
		if best == nil || best.suspect && !s.suspect || best.suspect == s.suspect && s.rtt.srtt < best.rtt.srtt {
			best = s
		}
	}
	return best
}
