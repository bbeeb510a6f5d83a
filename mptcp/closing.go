package mptcp

import (
	"fmt"
	"net"
	"syscall"
	"time"

	"hawser/transport/wire"
)

// Times of the end of a connection.
const (
	finRetry    = 200 * time.Millisecond // first repetition of a DATA_FIN; doubles
	finRetryMax = 5 * time.Second
	closeTime   = 10 * time.Second // that a peer has to end its stream after ours was closed
	flushTime   = 2 * time.Minute  // that it has to take in what was written before Close
	lingerTime  = 2 * time.Second  // that subflows have to end in order after both streams have ended
)

// finState is how far both DATA_FINs have come (RFC 8684 §3.3.3).
type finState struct {
	sent, acked bool
	at          time.Time // when it was sent last
	wait        time.Duration

	peerKnown bool
	peerDSN   uint64
	peerDone  bool // everything before it has arrived
	told      bool // Read was told

	closed time.Time // when the application called Close; zero: not
	linger time.Time // end of the time for subflows to end in order; zero: not begun
}

// finished reports whether both streams have ended and the ends were acknowledged.
func (k *core) finished() bool { return k.fin.acked && k.fin.peerDone }

// peerFin notes where the peer's stream ends.
func (k *core) peerFin(dsn uint64) {
	if !k.fin.peerKnown && !wire.DSNLess(dsn, k.recv.next) {
		k.fin.peerKnown, k.fin.peerDSN = true, dsn
	}
}

// advanceFin completes the peer's DATA_FIN when everything before it is there.
func (k *core) advanceFin() {
	if k.fin.peerKnown && k.recv.next == k.fin.peerDSN {
		k.fin.peerDone = true
	}
}

// closing drives the end of a connection.
func (k *core) closing(now time.Time) {
	if k.fin.peerDone && !k.fin.told {
		k.fin.told = true
		k.conn.in.finish()
	}
	if k.fin.sent && !k.fin.acked && k.send.una == k.send.end && !now.Before(k.fin.at.Add(k.fin.wait)) {
		k.repeatFin(now)
	}
	switch {
	case k.finished():
		k.closeSubflows(now)
	case !k.fin.closed.IsZero() && now.Sub(k.fin.closed) >= k.patience():
		k.abort(now, net.ErrClosed)
	}
}

// patience is how long after Close the peer may take: a peer that lives and does not read must not keep us for ever.
func (k *core) patience() time.Duration {
	if k.fin.acked {
		return closeTime
	}
	return flushTime
}

// repeatFin sends the DATA_FIN again on every working subflow, as the Linux kernel does.
func (k *core) repeatFin(now time.Time) {
	for _, s := range k.subs {
		if s.phase == phaseActive {
			s.carrier.Send(wire.Mapping{DSN: k.send.end, Fin: true}, nil)
		}
	}
	k.fin.at, k.fin.wait = now, min(2*k.fin.wait, finRetryMax)
}

// closeSubflows ends the subflows in order (RFC 8684 §3.3.3), and the connection with the last of them.
func (k *core) closeSubflows(now time.Time) {
	if k.fin.linger.IsZero() {
		k.fin.linger, k.state = now.Add(lingerTime), ConnClosing
		for _, s := range k.subs {
			if s.phase == phaseActive {
				k.acknowledgeOn(s)
				s.carrier.Close()
				s.phase = phaseClosing
			}
		}
	}
	if len(k.subs) == 0 || !now.Before(k.fin.linger) {
		k.end(now, net.ErrClosed, false)
	}
}

func (k *core) closeDeadline() time.Time {
	var d time.Time
	if k.fin.sent && !k.fin.acked && k.send.una == k.send.end {
		d = k.fin.at.Add(k.fin.wait)
	}
	if !k.fin.closed.IsZero() && !k.finished() {
		d = earliest(d, k.fin.closed.Add(k.patience()))
	}
	return earliest(d, k.fin.linger)
}

// abort breaks the connection off with MP_FASTCLOSE on every subflow (RFC 8684 §3.5, option R).
func (k *core) abort(now time.Time, err error) {
	if k.state == connEnded {
		return
	}
	if k.trusted {
		for _, s := range k.subs {
			if s.phase == phaseActive {
				s.carrier.Signal(wire.MPFastclose{Key: FastcloseKey(k.binding, k.remote)})
				_ = s.carrier.Flush(now) // best effort: the abort that follows says the same to a broken wire
			}
		}
	}
	k.end(now, err, true)
}

// fastclosed acts on the peer's MP_FASTCLOSE, if its key proves that it is the peer's.
func (k *core) fastclosed(now time.Time, s *subflow, o wire.MPFastclose) {
	if !k.trusted || s.phase < phaseActive || !sameFastclose(o.Key, FastcloseKey(k.binding, k.local)) {
		return // RFC 8684 §3.5: a wrong key is ignored
	}
	k.end(now, fmt.Errorf("the peer ended the session: %w", syscall.ECONNRESET), true)
}
