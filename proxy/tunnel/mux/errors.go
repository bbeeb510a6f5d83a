package mux

import (
	"errors"
	"io"
	"net"
	"os"

	"github.com/libp2p/go-yamux/v5"
)

var (
	// ErrReset is what Read and Write give after the stream was reset, by either side.
	ErrReset = errors.New("stream reset")
	// ErrProtocol is wrapped when the peer breaks the rules of the mux; the session ends.
	ErrProtocol = errors.New("protocol error")
	// ErrMemory is wrapped when the memory limit leaves no room for another stream.
	ErrMemory = errors.New("memory limit reached: close some connections or raise memory in the configuration")
	// ErrEnded is wrapped by what a stream gives after its session has ended.
	ErrEnded = errors.New("session ended")
)

// translate turns the library's errors into those of this package and of net.
func (st *Stream) translate(err error) error {
	switch {
	case err == nil || err == io.EOF:
		return err
	case errors.Is(err, yamux.ErrTimeout):
		return os.ErrDeadlineExceeded
	case errors.Is(err, yamux.ErrStreamClosed):
		return net.ErrClosed
	}
	select {
	case <-st.s.Done():
		return st.s.ended()
	default:
		return ErrReset
	}
}
