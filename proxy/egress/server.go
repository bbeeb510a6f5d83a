package egress

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"hawser/proxy/relay"
)

// CommandConnect is the command of RFC 1928 §4 for a TCP connection.
const CommandConnect byte = 1

// Request is what the opening header of a stream asks for (docs/protocol.md §3).
type Request struct {
	Command byte
	Target  Target
}

// Answer is what the client is told.
type Answer struct {
	Code  relay.Code
	Bound netip.AddrPort // local address of the connection to the target; zero on failure
	Text  string         // for a person; empty on success
}

// maxText is the longest Answer.Text in bytes: its length is one byte on the wire.
const maxText = 255

// goodbye bounds how long a refused stream is kept for the client to read why.
const goodbye = 5 * time.Second

// Server serves the streams that clients open. It may be used from any goroutine.
type Server struct {
	dialer *Dialer
	meter  *relay.Meter
	log    zerolog.Logger
}

// NewServer makes a server. meter may be nil; the zero Logger is silent.
func NewServer(dialer *Dialer, meter *relay.Meter, log zerolog.Logger) *Server {
	if meter == nil {
		meter = new(relay.Meter)
	}
	return &Server{dialer: dialer, meter: meter, log: log}
}

// Serve connects a stream to its target, tells the client how that went by answer (called exactly once), and relays
// until both directions have ended. The stream is closed or reset when it returns. Cancelling ctx resets the stream.
// The error says why the stream was refused or broken off; nil: it ended in order.
func (s *Server) Serve(ctx context.Context, stream relay.Stream, r Request, answer func(Answer) error) error {
	if r.Command != CommandConnect {
		return refuse(stream, answer, &Error{
			relay.CodeCommandNotSupported, fmt.Errorf("egress: command %d is not supported", r.Command)})
	}
	conn, err := s.dialer.Dial(ctx, r.Target)
	if err != nil {
		s.log.Debug().Stringer("target", r.Target).Err(err).Msg("stream refused")
		return refuse(stream, answer, failure(err))
	}
	if err := answer(Answer{Code: relay.CodeSucceeded, Bound: boundOf(conn)}); err != nil {
		stream.Reset()
		relay.Abort(conn)
		return fmt.Errorf("egress: answer the client: %w", err)
	}
	runtime.Gosched() // the answer leaves before anything else is done
	keepAlive(conn)
	return relay.Run(ctx, conn, stream, nil, s.meter)
}

// boundOf is the address that the connection left by; zero when it is none of IP.
func boundOf(conn net.Conn) netip.AddrPort {
	if a, ok := conn.LocalAddr().(*net.TCPAddr); ok {
		return a.AddrPort()
	}
	return netip.AddrPort{}
}

// refuse answers with the failure. The answer must not be overtaken by a reset, so the client gets time to hang up.
func refuse(stream relay.Stream, answer func(Answer) error, e *Error) error {
	if err := answer(Answer{Code: e.Code, Text: clip(e.Error())}); err != nil {
		stream.Reset()
		return fmt.Errorf("%w (and the client could not be told: %w)", e, err)
	}
	if hungUp(stream) {
		_ = stream.Close() // both directions have ended
	} else {
		stream.Reset()
	}
	return e
}

// clip cuts a text to what fits the wire, between characters.
func clip(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxText)], "")
}

// hungUp ends our direction and waits for the end of the other.
func hungUp(stream relay.Stream) bool {
	if stream.CloseWrite() != nil || stream.SetReadDeadline(time.Now().Add(goodbye)) != nil {
		return false
	}
	n, err := io.Copy(io.Discard, io.LimitReader(stream, relay.BufferSize))
	return err == nil && n < relay.BufferSize
}
