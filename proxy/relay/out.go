package relay

import (
	"errors"
	"fmt"
	"io"

	"hawser/transport/nonblock"
)

// out copies from the stream to the local connection, then passes on its FIN.
func (p *pair) out() error {
	if err := p.copyOut(); err != nil {
		p.abort()
		return err
	}
	p.outDone.Store(true)
	if p.inDone.Load() {
		_ = p.local.Close() // both ended in order; a FIN leaves with it, and it wakes afterFin
		return nil
	}
	if c, ok := p.local.(interface{ CloseWrite() error }); ok {
		if err := c.CloseWrite(); err != nil {
			p.abort()
			return fmt.Errorf("local: %w", err)
		}
	}
	if e, ok := p.stream.(ender); ok {
		e.OnEnd(p.abort) // everything was read: nothing can be lost by it
	}
	return nil
}

// copyOut returns nil at EOF.
func (p *pair) copyOut() error {
	to := localWriter{p, nonblock.Wrap(p.local)}
	if _, ok := p.stream.(waiter); !ok {
		if w, ok := p.stream.(io.WriterTo); ok {
			return p.copyOutDirect(w, to)
		}
	}
	src := newSource(p.stream)
	for {
		data, buf, err := src.next()
		if len(data) > 0 {
			_, werr := to.Write(data)
			putBuffer(buf)
			if werr != nil {
				return werr
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("stream: %w", err)
		}
	}
}

// copyOutDirect lets the stream write its own buffers.
func (p *pair) copyOutDirect(w io.WriterTo, to localWriter) error {
	_, err := w.WriteTo(to)
	if err != nil && !errors.As(err, new(*localError)) {
		return fmt.Errorf("stream: %w", err)
	}
	return err
}

// localWriter counts what it writes to the local connection and marks the errors as that side's.
type localWriter struct {
	p  *pair
	to *nonblock.Conn
}

func (w localWriter) Write(b []byte) (int, error) {
	n, err := w.to.Write(b)
	w.p.meter.Out.Add(uint64(n))
	if err != nil {
		return n, &localError{err}
	}
	return n, nil
}

type localError struct{ err error }

func (e *localError) Error() string { return "local: " + e.err.Error() }
func (e *localError) Unwrap() error { return e.err }
