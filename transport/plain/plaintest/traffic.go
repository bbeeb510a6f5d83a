package plaintest

import (
	"errors"
	"sync/atomic"

	"hawser/transport/plain"
)

// Push writes n bytes and half-closes, or writes until the connection ends.
func Push(s plain.Socket, n int) {
	b := make([]byte, 64<<10)
	for n > 0 {
		k, err := s.TryWrite([][]byte{b[:min(len(b), n)]})
		if errors.Is(err, plain.ErrAgain) {
			err = s.WaitWritable()
		}
		if err != nil {
			return
		}
		n -= k
	}
	_ = s.CloseWrite()
}

// Drain reads to the end, counts into total as it goes, and gives what ended it: io.EOF after a half-close.
func Drain(s plain.Socket, total *atomic.Int64) error {
	b := make([]byte, 64<<10)
	for {
		k, err := s.TryRead(b)
		total.Add(int64(k))
		if errors.Is(err, plain.ErrAgain) {
			err = s.WaitReadable()
		}
		if err != nil {
			return err
		}
	}
}
