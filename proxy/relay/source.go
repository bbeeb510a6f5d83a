package relay

import (
	"io"
	"net"
)

// A source yields what can be read, and holds no pooled buffer while it waits.
type source interface {
	// next waits for bytes. They are valid until the next call; buf is the pooled buffer that holds them, nil when it
	// is another one, and is the caller's to give back.
	next() (data []byte, buf *Buffer, err error)
}

// newSource picks the cheapest way to wait for r.
func newSource(r io.Reader) source {
	switch r := r.(type) {
	case *net.TCPConn:
		if s := newSocketSource(r); s != nil {
			return s
		}
	case waiter:
		return &waitSource{r: r.(io.Reader), w: r}
	}
	return &plainSource{r: r}
}

// waitSource reads from what can say that reading will not wait.
type waitSource struct {
	r io.Reader
	w waiter
}

func (s *waitSource) next() ([]byte, *Buffer, error) {
	if err := s.w.WaitReadable(); err != nil {
		return nil, nil, err
	}
	return readPooled(s.r)
}

func readPooled(r io.Reader) ([]byte, *Buffer, error) {
	b := getBuffer()
	n, err := r.Read(b[:])
	if n == 0 {
		putBuffer(b)
		return nil, nil, err
	}
	return b[:n], b, err
}

// plainSource reads from anything. It waits with a small buffer of its own and takes a large one after a read that
// filled the one before, so a source that falls idle just then holds a pooled buffer until its next byte.
type plainSource struct {
	r     io.Reader
	large bool
	small [512]byte
}

func (s *plainSource) next() ([]byte, *Buffer, error) {
	if s.large {
		data, buf, err := readPooled(s.r)
		s.large = len(data) == BufferSize
		return data, buf, err
	}
	n, err := s.r.Read(s.small[:])
	s.large = n == len(s.small)
	return s.small[:n], nil, err
}
