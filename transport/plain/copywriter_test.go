package plain

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
)

// TestCopyWriter: bounded, in order, the caller's memory is free at once, and the end comes after the last byte.
func TestCopyWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pr, pw := io.Pipe()
		c := newCopyWriter(pw)
		want := bytes.Repeat([]byte("0123456789abcdef"), 20<<10)
		go func() {
			for sent := 0; sent < len(want); {
				block := bytes.Clone(want[sent:min(sent+5000, len(want))])
				n, err := c.TryWrite([][]byte{block[:len(block)/2], block[len(block)/2:]})
				clear(block)
				if c.Unsent() > copyWriterSize {
					t.Errorf("%d bytes held", c.Unsent())
				}
				if sent += n; errors.Is(err, ErrAgain) {
					err = c.WaitWritable()
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
			c.finish(func() { _ = pw.Close() })
		}()
		got, err := io.ReadAll(pr)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d of %d bytes, %v", len(got), len(want), err)
		}
	})
}

func TestCopyWriterFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pr, pw := io.Pipe()
		c := newCopyWriter(pw)
		if n, err := c.TryWrite([][]byte{make([]byte, 100<<10)}); n != copyWriterSize || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		if _, err := c.TryWrite([][]byte{{1}}); !errors.Is(err, ErrAgain) {
			t.Errorf("full, and %v", err)
		}
		woken := make(chan error, 1)
		go func() { woken <- c.WaitWritable() }()
		synctest.Wait()
		_ = pr.CloseWithError(io.ErrUnexpectedEOF)
		if err := <-woken; !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("woken by %v", err)
		}
		if _, err := c.TryWrite([][]byte{{1}}); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("after the failure: %v", err)
		}
	})
}

// TestCopyWriterIsEnded: whoever waits hears of a reset.
func TestCopyWriterIsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pr, pw := io.Pipe()
		c := newCopyWriter(pw)
		_, _ = c.TryWrite([][]byte{make([]byte, copyWriterSize)})
		woken := make(chan error, 1)
		go func() { woken <- c.WaitWritable() }()
		synctest.Wait()
		c.fail(net.ErrClosed)
		if err := <-woken; !errors.Is(err, net.ErrClosed) {
			t.Errorf("woken by %v", err)
		}
		_ = pr.Close()
	})
}
