package mux

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hawser/proxy/tunnel/tunneltest"
)

// stepConn lets one Write through for each token, and notes the frames.
type stepConn struct {
	net.Conn
	tokens chan struct{}

	mu     sync.Mutex
	frames []header
}

func (c *stepConn) Write(b []byte) (int, error) {
	<-c.tokens
	c.mu.Lock()
	for rest := b; len(rest) >= headerSize; {
		h := parseHeader(rest)
		c.frames = append(c.frames, h)
		rest = rest[headerSize+h.body():]
	}
	c.mu.Unlock()
	return c.Conn.Write(b)
}

func (c *stepConn) seen() []header {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]header(nil), c.frames...)
}

func TestSmallStreamWaitsBehindTwoFramesOfBulk(t *testing.T) {
	for _, on := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			a, b := tunneltest.Pipe(tunneltest.Line{Buffer: 64 << 20})
			step := &stepConn{Conn: a, tokens: make(chan struct{}, 1<<20)}
			free := make(chan struct{})
			c, s := sessions(t, step, b, Config{}, Config{})
			if !on {
				c.gate.free = 1 << 30
			}
			for range 20 {
				step.tokens <- struct{}{}
			}
			var bulk []*Stream
			for range 5 {
				x, _ := open(t, c, s)
				x.level = 2 * urgentBytes // has been at it for long
				bulk = append(bulk, x)
			}
			time.Sleep(acceptDelay + time.Millisecond) // the windows come with the acceptance
			synctest.Wait()
			for len(step.tokens) > 0 {
				<-step.tokens
			}
			for _, x := range bulk {
				go func() {
					_, _ = x.Write(make([]byte, 200_000))
					free <- struct{}{}
				}()
			}
			synctest.Wait()
			t.Log("# nothing leaves; bulk has filled what it may; now a small request comes")
			before := len(step.seen())
			go func() { _, _ = c.Open(t.Context(), []byte("small")) }()
			synctest.Wait()
			at := 0
			for i := 1; at == 0; i++ {
				step.tokens <- struct{}{}
				synctest.Wait()
				for _, h := range step.seen()[before:] {
					if h.kind == kindData && h.length == 5 {
						at = i
					}
				}
			}
			// Up to two frames above the connection, and the one that it was writing when the request came.
			if kept := at-1 <= 3; kept != on {
				t.Errorf("gate %v: the request left after %d frames of bulk", on, at-1)
			}
			for range 1 << 10 {
				step.tokens <- struct{}{}
			}
			for range bulk {
				<-free
			}
			_ = c.Close()
			_ = s.Close()
		})
	}
}

func TestOpeningIsOneWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := tunneltest.Pipe(tunneltest.Line{})
		step := &stepConn{Conn: a, tokens: make(chan struct{}, 100)}
		c, s := sessions(t, step, b, Config{}, Config{})
		go func() { _, _ = c.Open(t.Context(), []byte("request")) }()
		synctest.Wait()
		step.tokens <- struct{}{}
		synctest.Wait()
		got := step.seen()
		if len(got) != 2 || got[0].String() != "window SYN id 1 length 258048" || got[1].String() != "data id 1 length 7" {
			t.Errorf("first write: %v", got)
		}
		t.Log("# nothing else is sent on an idle session, whatever the library's timers are")
		for range 99 {
			step.tokens <- struct{}{}
		}
		time.Sleep(48 * time.Hour)
		if got := step.seen(); len(got) != 2 {
			t.Errorf("an idle session sent %v", got)
		}
		_ = c.Close()
		_ = s.Close()
	})
}

func TestUrgentStreamsPassBulkAndBulkTakesTurns(t *testing.T) {
	g := newGate()
	var first, second, third, urgent ticket
	if !g.enter(&first, payloadSize, false) || !g.enter(&second, payloadSize, false) {
		t.Fatal("two frames do not pass")
	}
	if g.enter(&third, payloadSize, false) || g.enter(&first, payloadSize, false) || g.enter(&urgent, 100, true) {
		t.Fatal("a third frame passes")
	}
	g.leave(payloadSize)
	select {
	case <-urgent.ready:
	default:
		t.Fatal("the urgent one does not go first")
	}
	if len(third.ready) != 0 {
		t.Fatal("room was given twice")
	}
	g.leave(100)
	if len(third.ready) != 1 || len(first.ready) != 0 {
		t.Fatal("bulk does not go in its order")
	}
	t.Log("# one who gives up lets the next one in, also when it had been let in already")
	g.cancel(&third)
	if len(first.ready) != 1 {
		t.Fatal("the next one is not let in")
	}
	<-first.ready
	g.leave(payloadSize)
	g.leave(payloadSize)
	if g.free != gateSize {
		t.Fatalf("%d bytes are free in the end, want %d", g.free, gateSize)
	}
}

// speed is what one stream carries over a line, bytes/s, between 3 s and 6 s after its start.
func speed(t *testing.T, l tunneltest.Line, server Config) float64 {
	t.Helper()
	a, b := tunneltest.Pipe(l)
	c, s := sessions(t, a, b, Config{}, server)
	time.Sleep(time.Second)
	x, y := open(t, c, s)
	time.Sleep(time.Second) // as long as the answer to a request takes
	go func() {
		for buf := make([]byte, 1<<20); ; {
			if _, err := x.Write(buf); err != nil {
				return
			}
		}
	}()
	n, counted := 0, 0
	for start, buf := time.Now(), make([]byte, 1<<16); time.Since(start) < 6*time.Second; {
		k, err := y.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if n += k; time.Since(start) < 3*time.Second {
			counted = n
		}
	}
	_ = c.Close()
	_ = s.Close()
	return float64(n-counted) / 3
}

func TestWindowGrowsToFillALongLine(t *testing.T) {
	for _, c := range []struct {
		name string
		line tunneltest.Line
	}{
		{"300 Mbit/s 250 ms", tunneltest.Line{Rate: 37.5e6, Delay: 125 * time.Millisecond}},
		{"40 Mbit/s 600 ms", tunneltest.Line{Rate: 5e6, Delay: 300 * time.Millisecond}},
		{"160 Mbit/s 60 ms", tunneltest.Line{Rate: 20e6, Delay: 30 * time.Millisecond}},
	} {
		for name, limit := range map[string]int{"grows": 0, "stays": 1} {
			t.Run(c.name+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					share := speed(t, c.line, Config{MaxWindow: limit}) / float64(c.line.Rate)
					t.Logf("%.3f of the line", share)
					if kept := share > 0.9; kept != (limit == 0) {
						t.Errorf("%.3f of the line", share)
					}
				})
			})
		}
	}
}

// budget is a Budget that tests look into.
type budget struct {
	mu          sync.Mutex
	limit, used int
	most        int
}

func (b *budget) Reserve(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.used+n > b.limit {
		return false
	}
	b.used += n
	b.most = max(b.most, b.used)
	return true
}

func (b *budget) Release(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= n
	if n < 0 || b.used < 0 {
		panic("BUG: released more than was reserved")
	}
}

func (b *budget) level() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

func TestMemoryLimitHoldsAndNobodyIsReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := tunneltest.Pipe(tunneltest.Line{Rate: 50e6, Delay: 5 * time.Millisecond})
		mem := &budget{limit: 2 << 20}
		c, s := sessions(t, a, b, Config{}, Config{Windows: NewWindows(mem, mem.limit)})
		t.Log("# twenty readers stop, with 256 kB for each on its way")
		var from, to []*Stream
		errs := make(chan error, 20)
		for range 20 {
			x, y := open(t, c, s)
			from, to = append(from, x), append(to, y)
			go func() {
				_, err := x.Write(make([]byte, initialWindow+1))
				errs <- err
			}()
		}
		x, y := open(t, c, s)
		go func() {
			_, _ = x.Write(make([]byte, 20<<20))
			_ = x.CloseWrite()
		}()
		n, err := io.Copy(io.Discard, y)
		if err != nil || n != 20<<20 {
			t.Errorf("the one that reads got %d bytes, %v", n, err)
		}
		_ = y.Close()
		_ = x.Close()
		if len(errs) > 0 {
			t.Errorf("a stream whose reader has stopped: %v", <-errs)
		}
		t.Log("# they read again, and nothing was lost")
		for i, y := range to {
			if n, err := io.CopyN(io.Discard, y, initialWindow+1); err != nil {
				t.Errorf("%d bytes, %v", n, err)
			}
			if err := <-errs; err != nil {
				t.Error(err)
			}
			_ = from[i].Close()
			_ = y.Close()
		}
		time.Sleep(time.Second)
		if got := mem.level(); got != 0 {
			t.Errorf("%d bytes are still reserved, of %d streams", got, s.Streams())
		}
		if mem.most > mem.limit || mem.most < mem.limit/2 {
			t.Errorf("at most %d bytes were reserved, the limit is %d", mem.most, mem.limit)
		}
		_ = c.Close()
		_ = s.Close()
	})
}

func TestQuietWindowsMakeRoomForOthers(t *testing.T) {
	for _, on := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			a, b := tunneltest.Pipe(tunneltest.Line{Rate: 50e6, Delay: 50 * time.Millisecond})
			mem := &budget{limit: 8 << 20}
			c, s := sessions(t, a, b, Config{}, Config{Windows: NewWindows(mem, mem.limit)})
			carry := func() (time.Duration, *Stream) {
				x, y := open(t, c, s)
				start := time.Now()
				go func() { _, _ = x.Write(make([]byte, 60<<20)) }()
				if _, err := io.CopyN(io.Discard, y, 60<<20); err != nil {
					t.Fatal(err)
				}
				return time.Since(start), y
			}
			first, y := carry()
			if mem.level() < 4<<20 {
				t.Errorf("the window of the first stream is %d bytes", mem.level())
			}
			y.account.recall = !on // as if it had been asked already
			time.Sleep(time.Second)
			t.Log("# the first stream stays open and quiet; another one needs the room, and begins with little")
			second, _ := carry()
			t.Logf("first %v second %v", first, second)
			if kept := second < 2*first; kept != on {
				t.Errorf("recall %v: the second stream took %v, the first %v", on, second, first)
			}
			_ = c.Close()
			_ = s.Close()
		})
	}
}

func TestStreamsLeaveTheirShareOfTheBudget(t *testing.T) {
	mem := &budget{limit: 100}
	w := NewWindows(mem, 60)
	if !w.take(60, 60) || w.take(1, 60) || mem.level() != 60 {
		t.Errorf("%d bytes were taken, want 60", mem.level())
	}
	w.give(10)
	if !mem.Reserve(50) || w.take(1, 60) || w.used.Load() != 50 {
		t.Errorf("took more than the budget has")
	}
}

func TestNoMemoryForAnotherStream(t *testing.T) {
	a, b := loopback(t)
	mem := &budget{limit: 3 * (streamCost + minWindow)}
	c, s := sessions(t, a, b, Config{Windows: NewWindows(mem, 0)}, Config{})
	for range 3 {
		open(t, c, s)
	}
	_, err := c.Open(context.Background(), []byte("?"))
	wantErr(t, "a fourth stream", err, ErrMemory)
	_ = c.Close()
	if got := mem.level(); got != 0 {
		t.Errorf("%d bytes are still reserved", got)
	}
}

func TestFlushWaitsForTheEndsOfStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := tunneltest.Pipe(tunneltest.Line{})
		step := &stepConn{Conn: a, tokens: make(chan struct{}, 1<<10)}
		c, s := sessions(t, step, b, Config{}, Config{})
		step.tokens <- struct{}{}
		x, y := open(t, c, s)
		if _, err := x.Write([]byte("last words")); err != nil {
			t.Fatal(err)
		}
		if err := x.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		flushed := make(chan error, 1)
		go func() { flushed <- c.Flush(t.Context()) }()
		synctest.Wait()
		if len(flushed) != 0 {
			t.Error("flushed, and nothing has left")
		}
		for range 100 {
			step.tokens <- struct{}{}
		}
		if err := <-flushed; err != nil {
			t.Error(err)
		}
		_ = c.Close()
		got, err := io.ReadAll(y)
		if string(got) != "last words" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
		_ = s.Close()
	})
}
