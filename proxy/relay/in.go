package relay

import (
	"fmt"
	"io"
	"runtime"
)

// in copies from the local connection to the stream, then passes on its FIN.
func (p *pair) in() error {
	src := newSource(p.local)
	if p.socket, _ = src.(*socketSource); p.socket != nil {
		p.stall.watch(p.socket.failed, p.abort)
	}
	if err := p.copyIn(src); err != nil {
		p.abort()
		return err
	}
	if err := p.stream.CloseWrite(); err != nil {
		p.abort()
		return fmt.Errorf("stream: %w", err)
	}
	return p.afterFin()
}

// afterFin stays to learn of a reset while the other direction still runs.
func (p *pair) afterFin() error {
	p.inDone.Store(true)
	if p.socket == nil || p.outDone.Load() {
		return nil
	}
	if err := p.socket.watch(); err != nil {
		p.abort()
		return fmt.Errorf("local: %w", err)
	}
	return nil
}

// copyIn returns nil at EOF.
func (p *pair) copyIn(src source) error {
	if len(p.early) > 0 {
		if err := p.writeStream(p.early); err != nil {
			return err
		}
		p.early = nil
	}
	for {
		data, buf, err := src.next()
		if len(data) > 0 {
			werr := p.writeStream(data)
			putBuffer(buf)
			if len(data) < BufferSize {
				runtime.Gosched() // whoever puts it on its way first: there is nothing more to read yet
			}
			if werr != nil {
				return werr
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("local: %w", err)
		}
	}
}

func (p *pair) writeStream(b []byte) error {
	p.stall.arm()
	n, err := p.stream.Write(b)
	p.stall.disarm()
	p.meter.In.Add(uint64(n))
	if err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	return nil
}
