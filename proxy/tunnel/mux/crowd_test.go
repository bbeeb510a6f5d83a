package mux

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hawser/proxy/tunnel/tunneltest"
)

// crowd is streams between two ends with little memory.
type crowd struct {
	client, server *Session
	mem            [2]*budget
	from, to       []*Stream
}

func newCrowd(t *testing.T, limit int) *crowd {
	a, b := tunneltest.Pipe(tunneltest.Line{Rate: 100e6, Delay: 10 * time.Millisecond})
	w := &crowd{mem: [2]*budget{{limit: limit}, {limit: limit}}}
	w.client, w.server = sessions(t, a, b,
		Config{Windows: NewWindows(w.mem[0], limit)}, Config{Windows: NewWindows(w.mem[1], limit)})
	return w
}

// use opens one more stream and moves n bytes both ways at once.
func (w *crowd) use(t *testing.T, n int) {
	t.Helper()
	x, y := open(t, w.client, w.server)
	w.from, w.to = append(w.from, x), append(w.to, y)
	w.move(t, len(w.from)-1, n)
}

func (w *crowd) move(t *testing.T, i, n int) {
	t.Helper()
	done := make(chan error, 4)
	for _, st := range []*Stream{w.from[i], w.to[i]} {
		go func() {
			_, err := st.Write(make([]byte, n))
			done <- err
		}()
		go func() {
			_, err := io.CopyN(io.Discard, st, int64(n))
			done <- err
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Fatalf("stream %d of %d: %v", i+1, len(w.from), err)
		}
	}
}

func (w *crowd) close(t *testing.T) {
	t.Helper()
	_ = w.client.Close()
	_ = w.server.Close()
	for i := range w.from {
		_ = w.from[i].Close()
		_ = w.to[i].Close()
	}
	for i, mem := range w.mem {
		if mem.most > mem.limit {
			t.Errorf("end %d: %d bytes were reserved, the limit is %d", i, mem.most, mem.limit)
		}
		if got := mem.level(); got != 0 {
			t.Errorf("end %d: %d bytes are still reserved", i, got)
		}
	}
}

// TestManyIdleStreamsThatHaveMovedMuch: room for 64 windows serves 500 streams that were busy one after another.
func TestManyIdleStreamsThatHaveMovedMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newCrowd(t, 64*initialWindow)
		const streams = 500
		for range streams {
			w.use(t, 1_000_000)
		}
		t.Log("# each of them can be used again, and as quickly")
		begin := time.Now()
		for i := range streams {
			w.move(t, i, 1_000_000)
		}
		if each := time.Since(begin) / streams; each > 300*time.Millisecond {
			t.Errorf("1 MB both ways took %v", each)
		}
		w.close(t)
	})
}

// TestNewStreamsAreRefusedAndNobodyIsReset: what is open lives on, each stream with a window, whatever others do.
func TestNewStreamsAreRefusedAndNobodyIsReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newCrowd(t, 8<<20)
		var refused error
		for refused == nil {
			st, err := w.client.Open(t.Context(), []byte("?"))
			if refused = err; err != nil {
				break
			}
			y, err := w.server.Accept()
			if err != nil {
				t.Fatal(err)
			}
			if y.Starved() {
				t.Fatalf("the server has no room for stream %d", len(w.from)+1)
			}
			w.from, w.to = append(w.from, st), append(w.to, y)
			n := 1000
			if len(w.from) <= 20 {
				n = 100_000
			}
			go func() { _, _ = y.Write(make([]byte, n)) }() // it is not read yet
			time.Sleep(time.Millisecond)
		}
		if !errors.Is(refused, ErrMemory) {
			t.Fatalf("refused for %v, want %v", refused, ErrMemory)
		}
		if got, most := len(w.from), w.mem[0].limit/(streamCost+minWindow); got < most/2 {
			t.Errorf("%d streams were open when one was refused, %d would be possible", got, most)
		}
		t.Logf("%d streams", len(w.from))
		for i, st := range w.from {
			n := int64(1000)
			if i < 20 {
				n = 100_000
			}
			if _, err := io.CopyN(io.Discard, st, n); err != nil {
				t.Fatalf("stream %d of %d: %v", i+1, len(w.from), err)
			}
		}
		w.close(t)
	})
}

// TestIdleStreamsAreAsManyAsTheLimitTakes: what new streams were allowed and do not use comes back before others want it.
func TestIdleStreamsAreAsManyAsTheLimitTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newCrowd(t, 64*initialWindow)
		for most := w.mem[0].limit / (streamCost + minWindow); len(w.from) < most*95/100; {
			x, y := open(t, w.client, w.server)
			w.from, w.to = append(w.from, x), append(w.to, y)
		}
		w.close(t)
	})
}

// A window that finds no room must not take it from streams for the moment in which it is refused.
func TestRefusedGrowthTakesNoRoomFromStreams(t *testing.T) {
	const limit = 64 << 20
	w := NewWindows(nil, limit)
	ctx, cancel := context.WithCancel(t.Context())
	var growing sync.WaitGroup
	for range 2 {
		growing.Go(func() {
			for ctx.Err() == nil {
				if w.grow(limit) {
					t.Error("a window as large as the limit was granted")
					return
				}
			}
		})
	}
	for range 20_000 {
		if !w.take(streamCost+minWindow, w.limit) {
			t.Error("a stream was refused although there is room")
			break
		}
		w.give(streamCost + minWindow)
	}
	cancel()
	growing.Wait()
}
