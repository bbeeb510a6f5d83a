package inbound

import (
	"bufio"
	"bytes"
	"net/netip"
	"sync"
	"time"

	"hawser/proxy/relay"
)

// headSize is the read buffer of a handshake in bytes; longer handshakes take several reads.
const headSize = 512

// readers holds no goroutine, channel or timer, so that it may be shared between synctest bubbles.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, headSize) }}

// protocol is what the first byte of a connection says.
type protocol uint8

const (
	protocolUnknown protocol = iota
	protocolSOCKS4
	protocolSOCKS5
	protocolHTTP
)

// protocolOf tells protocols apart: HTTP methods in use are letters (RFC 9110 §9.1 allows more, such as "!"; none is
// registered).
func protocolOf(first byte) protocol {
	switch {
	case first == 4:
		return protocolSOCKS4
	case first == 5:
		return protocolSOCKS5
	case 'A' <= first && first <= 'Z', 'a' <= first && first <= 'z':
		return protocolHTTP
	}
	return protocolUnknown
}

// handle serves a client until it has ended, or was given to net/http.
func (s *Server) handle(c *client) {
	_ = c.SetDeadline(time.Now().Add(s.options.HandshakeTimeout))
	r := readers.Get().(*bufio.Reader)
	r.Reset(c.Conn)
	first, err := r.Peek(1)
	if err != nil {
		release(r)
		_ = c.Close()
		return
	}
	switch protocolOf(first[0]) {
	case protocolSOCKS5:
		s.serveSOCKS5(c, r)
	case protocolSOCKS4:
		s.serveSOCKS4(c, r)
	case protocolHTTP:
		c.head = buffered(r)
		release(r)
		c.busy.Store(true)
		_ = c.SetDeadline(time.Time{}) // net/http sets its own
		if !s.handover.give(c) {
			c.abort()
		}
	default:
		s.options.Log.Debug().Stringer("source", c.source).Uint8("byte", first[0]).Msg("neither SOCKS nor HTTP")
		release(r)
		c.abort()
	}
}

// buffered copies what was read ahead.
func buffered(r *bufio.Reader) []byte {
	b, _ := r.Peek(r.Buffered()) // never fails: the bytes are there
	return bytes.Clone(b)
}

func release(r *bufio.Reader) {
	r.Reset(nil)
	readers.Put(r)
}

// replies words the outcome of a SOCKS request.
type replies interface {
	granted(bound netip.AddrPort) []byte
	refused(r refusal) []byte
}

// tunnel opens the stream that a SOCKS client asked for, answers, and relays. It takes over r.
func (s *Server) tunnel(c *client, r *bufio.Reader, target Target, words replies) {
	c.busy.Store(true)
	stream, err := s.options.Opener.Open(s.ctx, target)
	if err != nil {
		release(r)
		s.options.Log.Debug().Stringer("target", target).Err(err).Msg("stream not opened")
		c.dismiss(words.refused(refusalOf(err)))
		return
	}
	early := buffered(r)
	release(r)
	_ = c.SetDeadline(time.Now().Add(s.options.HandshakeTimeout))
	if _, err := c.Write(words.granted(boundOf(stream))); err != nil {
		stream.Reset()
		c.abort()
		return
	}
	s.relay(c, stream, early)
}

// relay moves bytes until both directions have ended.
func (s *Server) relay(c *client, stream Stream, early []byte) {
	_ = c.SetDeadline(time.Time{})
	if err := relay.Run(s.ctx, c.Conn, stream, early, s.options.Meter); err != nil {
		s.options.Log.Debug().Err(err).Msg("stream broken off")
	}
	_ = c.Close() // closed already; counts it out
}
