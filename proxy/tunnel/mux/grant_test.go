package mux

import (
	"math/rand/v2"
	"testing"
	"time"
)

// library does with a receive window what go-yamux v5.1.0 does.
type library struct {
	window, limit int   // s.recvWindow and its ceiling
	capacity      int64 // s.recvBuf.cap
	length        int64 // s.recvBuf.len
	queue         []int // updates that wait for the sending goroutine
}

// grow is segmentedBuffer.GrowTo without force.
func (l *library) grow(force bool) (bool, int) {
	delta := int64(l.window) - l.capacity - l.length
	if delta <= 0 || delta < int64(l.window/2) && !force {
		return false, 0
	}
	l.capacity += delta
	return true, int(delta)
}

// read is Stream.Read of n bytes, with the update that may follow.
func (l *library) read(n int, reserve func(int) error) {
	l.length -= int64(n)
	needed, delta := l.grow(false)
	if !needed {
		return
	}
	if next := min(2*l.window, l.limit); next > l.window && reserve(next-l.window) == nil {
		l.window = next
		_, delta = l.grow(true)
	}
	l.queue = append(l.queue, delta)
}

func TestGrantsNeverPassWhatTheLibraryTakes(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		lib := &library{window: initialWindow, limit: DefaultMaxWindow, capacity: initialWindow}
		now := time.Now()
		st := &Stream{}
		a := account{window: initialWindow, last: now, heard: now}
		w := NewWindows(nil, 0)
		allowed := int64(initialWindow) // what the peer may still send
		for range 3000 {
			switch r.IntN(3) {
			case 0: // the peer sends, as far as it may
				n := min(allowed, r.Int64N(200_000))
				if n > lib.capacity {
					t.Fatalf("seed %d: the peer may send %d bytes and the library takes %d", seed, n, lib.capacity)
				}
				allowed -= n
				lib.capacity, lib.length = lib.capacity-n, lib.length+n
			case 1: // the application reads
				if n := int(min(lib.length, r.Int64N(150_000))); n > 0 {
					lib.read(n, func(more int) error {
						if r.IntN(3) == 0 {
							return errNoGrowth
						}
						return a.grow(w, st, more, now)
					})
					a.read(w, n)
				}
			case 2: // the sending goroutine comes by
				if len(lib.queue) > 0 && r.IntN(2) == 0 {
					allowed += int64(a.grant(lib.queue[0]))
					lib.queue = lib.queue[1:]
				}
			}
		}
		for _, n := range lib.queue {
			allowed += int64(a.grant(n))
		}
		if allowed+a.lost != lib.capacity {
			t.Fatalf("seed %d: the peer may send %d bytes of the %d that the library takes", seed, allowed+a.lost, lib.capacity)
		}
	}
}
