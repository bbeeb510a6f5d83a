package tunnel

import (
	"context"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hawser/proxy/tunnel/tunneltest"
)

// Each property of the pool is tested with its part on and off: off, the bound must be missed.

var line = tunneltest.Line{Delay: 20 * time.Millisecond, Rate: 5e6} // 40 Mbit/s

func without(off poolFeatures) func(*PoolConfig, *ServerConfig) {
	return func(c *PoolConfig, _ *ServerConfig) { c.off = off }
}

// bothWays runs f in a bubble with the part on and off; f tells whether the bound was kept.
func bothWays(t *testing.T, off poolFeatures, l tunneltest.Line, f func(t *testing.T, k *stack) bool) {
	t.Helper()
	for _, on := range []bool{true, false} {
		features := off
		name := "off"
		if on {
			features, name = poolFeatures{}, "on"
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newStack(t, l, without(features))
				defer k.stop()
				if kept := f(t, k); kept != on {
					t.Errorf("bound kept: %v", kept)
				}
			})
		})
	}
}

// bulk keeps a stream busy both ways until the session ends.
func (k *stack) bulk() *Stream { return k.bulkTo("bulk.example.net") }

func (k *stack) bulkTo(host string) *Stream {
	st := k.openTo(host)
	go func() { _, _ = io.Copy(io.Discard, st) }()
	go func() {
		for buf := make([]byte, 64<<10); ; {
			if _, err := st.Write(buf); err != nil {
				return
			}
		}
	}()
	return st
}

// small is the time of a new stream with one small exchange.
func (k *stack) small() time.Duration {
	k.t.Helper()
	start := time.Now()
	st := k.open()
	exchange(k.t, st, 2000)
	took := time.Since(start)
	_ = st.CloseWrite()
	if _, err := st.Read(make([]byte, 1)); err != io.EOF {
		k.t.Errorf("end of a small stream: %v", err)
	}
	_ = st.Close()
	return took
}

func TestSessionsAreEstablishedAheadOfNeed(t *testing.T) {
	bothWays(t, poolFeatures{ahead: true}, line, func(t *testing.T, k *stack) bool {
		time.Sleep(time.Second)
		took := k.small()
		t.Logf("a first stream took %v", took)
		return took < 4*line.Delay+10*time.Millisecond
	})
}

func TestOneSessionIsKeptFreeOfBulk(t *testing.T) {
	bothWays(t, poolFeatures{spare: true}, line, func(t *testing.T, k *stack) bool {
		k.established(2)
		for i := range 4 {
			k.bulkTo(fmt.Sprintf("%d.example.net", i))
			time.Sleep(500 * time.Millisecond)
		}
		took := k.small()
		t.Logf("a small stream beside bulk took %v, with %d sessions", took, len(k.pool.Stats().Sessions))
		return took < 4*line.Delay+10*time.Millisecond
	})
}

func TestNewStreamsTakeTheLeastLoadedSession(t *testing.T) {
	bothWays(t, poolFeatures{least: true}, line, func(t *testing.T, k *stack) bool {
		k.established(2)
		k.bulk()
		time.Sleep(100 * time.Millisecond)
		took := k.small()
		t.Logf("a small stream beside one bulk stream took %v", took)
		return took < 4*line.Delay+10*time.Millisecond
	})
}

func TestDownloadsFromOneTargetShareSessions(t *testing.T) {
	bothWays(t, poolFeatures{habits: true}, line, func(t *testing.T, k *stack) bool {
		k.established(2)
		for range 20 {
			k.bulk()
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		took := k.small()
		n := len(k.pool.Stats().Sessions)
		t.Logf("%d sessions, a small stream took %v", n, took)
		return n <= 4 && took < 4*line.Delay+10*time.Millisecond
	})
}

func TestCrowdsOfStreamsSpread(t *testing.T) {
	for _, c := range []struct{ streams, most, least int }{{20, 20, 0}, {3 * crowd, 2 * crowd, crowd}} {
		synctest.Test(t, func(t *testing.T) {
			k := newStack(t, line, nil)
			defer k.stop()
			k.established(2)
			var all sync.WaitGroup
			for range c.streams {
				all.Go(func() { k.open() })
			}
			all.Wait()
			for _, s := range k.pool.Stats().Sessions {
				if s.Streams < c.least || s.Streams > c.most {
					t.Errorf("session %s has %d of %d streams, want %d–%d", s.ID, s.Streams, c.streams, c.least, c.most)
				}
			}
		})
	}
}

func TestWornSessionsAreReplaced(t *testing.T) {
	bothWays(t, poolFeatures{replace: true}, line, func(t *testing.T, k *stack) bool {
		before := k.established(2)
		st := k.open()
		time.Sleep(maxSessionAge + time.Second)
		stats := k.pool.Stats()
		fresh, closing := 0, 0
		for _, s := range stats.Sessions {
			switch {
			case s.State == StateClosing:
				closing++
			case s.ID != before[0].ID && s.ID != before[1].ID:
				fresh++
			}
		}
		t.Logf("%d new sessions, %d that end with their streams", fresh, closing)
		exchange(t, st, 1000) // the old stream goes on
		_ = st.CloseWrite()
		if _, err := st.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("end of the old stream: %v", err)
		}
		_ = st.Close()
		time.Sleep(time.Second)
		left := len(k.pool.Stats().Sessions)
		return fresh == 2 && closing == 1 && left == 2
	})
}

func TestSessionIsReplacedAfter64GB(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newStack(t, line, nil)
		defer k.stop()
		before := k.established(2)
		st := k.open()
		k.pool.mu.Lock()
		for _, s := range k.pool.sessions {
			if s.mux.Streams() > 0 {
				s.meter.add(time.Now(), maxSessionBytes)
			}
		}
		k.pool.mu.Unlock()
		exchange(t, st, 1)
		after := k.established(2)
		if after[0].ID == before[0].ID && after[1].ID == before[1].ID {
			t.Errorf("sessions %v, as before", after)
		}
	})
}

func TestFailedDialsBackOff(t *testing.T) {
	bothWays(t, poolFeatures{backoff: true}, tunneltest.Line{}, func(t *testing.T, k *stack) bool {
		k.established(2)
		k.net.SetDown(true)
		for _, c := range k.net.Conns() {
			c.Cut(io.ErrUnexpectedEOF)
		}
		before := k.net.Dials()
		time.Sleep(time.Minute)
		n := k.net.Dials() - before
		t.Logf("%d dials in a minute", n)
		k.net.SetDown(false)
		start := time.Now()
		k.established(2)
		t.Logf("established %v after the network came back", time.Since(start))
		return n <= 40 && time.Since(start) <= lastRetry*6/5
	})
}

func TestNewStreamFailsWhenNoUplinkWorks(t *testing.T) {
	for name, cut := range map[string]bool{"sessions wait": false, "sessions are lost": true} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, poolFeatures{giveUp: true}, line, func(t *testing.T, k *stack) bool {
				k.established(2)
				k.net.SetDown(true)
				if cut {
					for _, c := range k.net.Conns() {
						c.Cut(io.ErrUnexpectedEOF)
					}
				}
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				start := time.Now()
				_, err := k.pool.OpenStream(ctx, TargetOf("example.net", 80))
				took := time.Since(start)
				t.Logf("%v after %v", err, took)
				if state := k.pool.Stats(); state.State != StateWaiting || state.Reason == "" {
					t.Errorf("state %v, reason %q", state.State, state.Reason)
				}
				if ctx.Err() == nil {
					wantErr(t, "new stream", err, ErrNoUplink)
				}
				return took >= giveUpTime && took <= giveUpTime+lookAgain
			})
		})
	}
}

func TestNewStreamFailsWhenTheUplinkGoesWhileTheServerAnswers(t *testing.T) {
	bothWays(t, poolFeatures{giveUp: true}, line, func(t *testing.T, k *stack) bool {
		k.established(2)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		start := time.Now()
		go func() {
			time.Sleep(time.Millisecond)
			k.net.SetDown(true)
		}()
		_, err := k.pool.OpenStream(ctx, TargetOf("example.net", 80))
		took := time.Since(start)
		t.Logf("%v after %v", err, took)
		k.net.SetDown(false)
		return took >= giveUpTime && took <= giveUpTime+lookAgain
	})
}

func TestNewStreamWaitsForAnUplinkThatReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newStack(t, line, nil)
		defer k.stop()
		k.established(2)
		k.net.SetDown(true)
		go func() {
			time.Sleep(8 * time.Second)
			k.net.SetDown(false)
		}()
		start := time.Now()
		k.open()
		if took := time.Since(start); took < 8*time.Second || took > 8*time.Second+2*lookAgain {
			t.Errorf("opened after %v", took)
		}
	})
}

func TestSlowServerIsNotAMissingUplink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newStack(t, line, func(_ *PoolConfig, c *ServerConfig) {
			c.Handler = func(ctx context.Context, r Request, in *Incoming) {
				time.Sleep(25 * time.Second)
				echo(ctx, r, in)
			}
		})
		defer k.stop()
		exchange(t, k.open(), 100)
	})
}

func TestStreamMovesToAnotherSessionWhenItsOwnIsLostBeforeTheReply(t *testing.T) {
	bubbleOverBoth(t, line, func(t *testing.T, l tunneltest.Line) {
		k := newStack(t, l, nil)
		defer k.stop()
		k.established(2)
		go func() {
			time.Sleep(line.Delay / 2) // the request is on its way
			for _, s := range k.pool.Stats().Sessions {
				if s.Streams > 0 {
					s.Transport.(*tunneltest.Conn).Cut(io.ErrUnexpectedEOF)
				}
			}
		}()
		exchange(t, k.open(), 100)
	})
}

func TestUnneededSessionsAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newStack(t, line, nil)
		defer k.stop()
		k.established(2)
		var streams []*Stream
		for i := range 4 {
			streams = append(streams, k.bulkTo(fmt.Sprintf("%d.example.net", i)))
			time.Sleep(500 * time.Millisecond)
		}
		if n := len(k.pool.Stats().Sessions); n <= 2 {
			t.Errorf("%d sessions beside bulk", n)
		}
		for _, st := range streams {
			st.Reset()
		}
		time.Sleep(2*idleTime + time.Second)
		if n := len(k.pool.Stats().Sessions); n != 2 {
			t.Errorf("%d sessions after bulk has ended, want 2", n)
		}
		if n := len(k.server.Stats().Sessions); n != 2 {
			t.Errorf("%d sessions at the server, want 2", n)
		}
	})
}

func TestStreamsBeyondTheServersLimitOpenAnotherSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newStack(t, line, func(c *PoolConfig, s *ServerConfig) {
			c.Min, c.Max, s.MaxStreams = 1, 2, 3
		})
		defer k.stop()
		for range 6 {
			k.open()
		}
		k.established(2)
		_, err := k.pool.OpenStream(t.Context(), TargetOf("example.net", 80))
		wantErr(t, "a seventh stream", err, ErrFull)
	})
}

func TestCloseLetsStreamsFinish(t *testing.T) {
	bubbleOverBoth(t, line, func(t *testing.T, l tunneltest.Line) {
		k := newStack(t, l, nil)
		st := k.open()
		done := make(chan error, 1)
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
			defer cancel()
			done <- k.pool.Close(ctx)
		}()
		synctest.Wait()
		_, err := k.pool.OpenStream(t.Context(), TargetOf("example.net", 80))
		wantErr(t, "a stream on a closed pool", err, ErrClosed)
		exchange(t, st, 1_000_000)
		_ = st.CloseWrite()
		if _, err := st.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("end of the stream: %v", err)
		}
		_ = st.Close()
		if err := <-done; err != nil {
			t.Errorf("close: %v", err)
		}
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = k.server.Shutdown(ended)
		<-k.served
	})
}
