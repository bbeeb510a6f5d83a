package link

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// line is a lane between two ends that the test holds.
type line struct {
	*lane
	in, out net.Conn
	ended   chan error // what carry returns
}

// newLine makes a lane that carries in a bubble.
func newLine(t *testing.T, rate int, delay time.Duration) *line {
	t.Helper()
	in, src := net.Pipe()
	dst, out := net.Pipe()
	l := &line{lane: &lane{gate: new(gate), shaper: shaper{rate: rate, delay: delay}}, in: in, out: out, ended: make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(func() { cancel(); in.Close(); out.Close(); src.Close(); dst.Close() })
	go func() { l.ended <- l.carry(ctx, dst, src) }()
	return l
}

// write writes n bytes that count up, and ends the stream.
func (l *line) write(n int) (sent []byte) {
	sent = make([]byte, n)
	for i := range sent {
		sent[i] = byte(i / 7)
	}
	go func() {
		_, _ = l.in.Write(sent)
		_ = l.in.Close()
	}()
	return sent
}

func TestLaneDeliversAllAtItsRateAfterItsDelay(t *testing.T) {
	tests := []struct {
		rate  int
		delay time.Duration
		bytes int
	}{
		{40e6, 10 * time.Millisecond, 2_000_000},
		{20e6, 25 * time.Millisecond, 1_000_000},
		{20e6, 0, 500_000},
		{1e6, 300 * time.Millisecond, 100_000},
		{40e6, 10 * time.Millisecond, 1},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			l := newLine(t, test.rate, test.delay)
			start := time.Now()
			sent := l.write(test.bytes)
			got, err := io.ReadAll(l.out)
			took := time.Since(start)
			want := time.Duration(test.bytes)*8*time.Second/time.Duration(test.rate) + test.delay
			if err != nil || !bytes.Equal(got, sent) {
				t.Errorf("%+v: %d bytes arrived, %v", test, len(got), err)
			}
			if took < want-time.Microsecond || took > want+want/50+time.Microsecond {
				t.Errorf("%+v: took %v, want %v", test, took, want)
			}
			if err := <-l.ended; err != nil || l.bytes.Load() != uint64(test.bytes) {
				t.Errorf("%+v: ended with %v after %d bytes", test, err, l.bytes.Load())
			}
		})
	}
}

func TestLaneHoldsABoundedAmount(t *testing.T) {
	for _, name := range []string{"the reader has stopped", "the link is cut"} {
		synctest.Test(t, func(t *testing.T) {
			l := newLine(t, 20e6, 25*time.Millisecond)
			if name == "the link is cut" {
				l.gate.set(false)
			}
			taken := 0
			go func() {
				for b := make([]byte, 1000); ; taken += len(b) {
					if _, err := l.in.Write(b); err != nil {
						return
					}
				}
			}()
			time.Sleep(time.Minute)
			synctest.Wait()
			if most := l.shaper.underWay() + 2*chunkSize; taken > most {
				t.Errorf("%s: %d bytes were taken in a minute, want at most %d", name, taken, most)
			}
		})
	}
}

func TestCutSwallowsAndRestoreGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, 8e6, 10*time.Millisecond) // 1,000 bytes a millisecond
		sent := l.write(1_000_000)
		first := make([]byte, 70*chunkSize) // no chunk is half delivered
		if _, err := io.ReadFull(l.out, first); err != nil {
			t.Fatal(err)
		}
		l.gate.set(false)
		t.Log("# for 5 s not a byte arrives, nor an end")
		_ = l.out.SetReadDeadline(time.Now().Add(5 * time.Second))
		if n, err := l.out.Read(make([]byte, 1)); n != 0 || !errors.Is(err, context.DeadlineExceeded) && !isTimeout(err) {
			t.Errorf("read %d bytes, %v from a cut link", n, err)
		}
		_ = l.out.SetReadDeadline(time.Time{})
		l.gate.set(true)
		rest, err := io.ReadAll(l.out)
		if err != nil || !bytes.Equal(append(first, rest...), sent) {
			t.Errorf("%d bytes after the cut, %v", len(rest), err)
		}
	})
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func TestLaneEndsWithItsContextAndWithItsReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine(t, 8e6, 0)
		l.write(1_000_000)
		_ = l.out.Close()
		if err := <-l.ended; !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("ended with %v, want the error of the receiver", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		in, src := net.Pipe()
		defer in.Close()
		l := &lane{gate: new(gate), shaper: shaper{rate: 8e6}}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if err := l.carry(ctx, in, src); !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestConnectionsShareTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newLine(t, 8e6, 0)
		in, src := net.Pipe()
		dst, out := net.Pipe()
		b := &line{lane: a.lane, in: in, out: out, ended: make(chan error, 1)}
		go func() { b.ended <- b.carry(t.Context(), dst, src) }()
		start := time.Now()
		a.write(500_000)
		b.write(500_000)
		go func() { _, _ = io.Copy(io.Discard, b.out) }()
		if _, err := io.Copy(io.Discard, a.out); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(<-a.ended, <-b.ended); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < time.Second || took > 1020*time.Millisecond {
			t.Errorf("1 MB over 8 Mbit/s took %v in two connections, want 1 s", took)
		}
	})
}
