package tunnel

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// handshakeTime bounds TLS, hello and welcome together.
const handshakeTime = 10 * time.Second

// RejectedError is a server that turned this client away.
type RejectedError struct {
	Status Status
	Text   string // of the server
}

// Error says why and what to do.
func (e *RejectedError) Error() string {
	msg := "the server turned this client away: " + e.Status.String()
	if e.Text != "" {
		msg += fmt.Sprintf(" (%q)", e.Text)
	}
	switch e.Status {
	case StatusUnknownKey:
		msg += ": join again with a new invite"
	case StatusVersion:
		msg += ": use the same version of client and server"
	}
	return msg
}

// Permanent tells that trying again soon is of no use.
func (e *RejectedError) Permanent() bool {
	return e.Status == StatusUnknownKey || e.Status == StatusVersion
}

// clientHandshake makes the transport a session: TLS, hello, welcome. It gives what the mux runs on (handOver). The
// transport is ended when it fails.
func clientHandshake(ctx context.Context, t Transport, config *tls.Config, h Hello) (net.Conn, Welcome, error) {
	stop := limitTime(ctx, t)
	g := newGuard(t)
	conn := tls.Client(g, config)
	err := conn.HandshakeContext(ctx)
	if err == nil {
		err = bind(t, conn)
	}
	var w Welcome
	if err == nil {
		w, err = greet(conn, h)
	}
	var inside net.Conn
	if err == nil && t.Encrypts() && int(w.Heard) != g.said {
		err = fmt.Errorf("%w: the server has heard %d bytes, %d were said", errMoved, w.Heard, g.said)
	}
	if err == nil {
		err = t.Authenticate(serverGroup(conn), h.AddressID, w.Survive)
	}
	if err == nil {
		inside, err = handOver(g, conn)
	}
	if !stop() && err == nil {
		err = ctx.Err()
	}
	var rejected *RejectedError
	switch {
	case errors.As(err, &rejected):
		_ = conn.Close() // in order, as the server does
	case err != nil:
		t.Abort()
	default:
		return inside, w, nil
	}
	return nil, Welcome{}, explainHandshake(err)
}

// greet says hello and reads the welcome.
func greet(conn *tls.Conn, h Hello) (Welcome, error) {
	if _, err := conn.Write(AppendHello(nil, h)); err != nil {
		return Welcome{}, err
	}
	w, err := ReadWelcome(conn)
	if err != nil {
		return Welcome{}, err
	}
	if w.Status != StatusWelcome {
		return Welcome{}, &RejectedError{Status: w.Status, Text: w.Text}
	}
	return w, nil
}

func serverGroup(conn *tls.Conn) string {
	key, _ := peerKey(conn.ConnectionState()) // was checked by VerifyConnection
	return Fingerprint(key)
}

// client is what a server knows of the peer after TLS and hello.
type client struct {
	key   ed25519.PublicKey
	hello Hello
}

// group names the client's process.
func (c client) group() string { return fmt.Sprintf("%s/%x", Fingerprint(c.key), c.hello.Instance) }

// readClient runs TLS and reads the hello.
func readClient(conn *tls.Conn) (client, error) {
	h, err := ReadHello(conn)
	if err != nil {
		return client{}, explainHandshake(err)
	}
	key, err := peerKey(conn.ConnectionState())
	if err != nil {
		return client{}, fmt.Errorf("tunnel: %w", err)
	}
	return client{key: key, hello: h}, nil
}

// limitTime ends the transport's reads and writes after handshakeTime or with the context, until stop is called, which
// tells whether that was in time.
func limitTime(ctx context.Context, t Transport) (stop func() bool) {
	_ = t.SetDeadline(time.Now().Add(handshakeTime)) // fails only on a dead transport
	inTime := context.AfterFunc(ctx, func() { _ = t.SetDeadline(time.Unix(1, 0)) })
	return func() bool {
		if !inTime() {
			return false
		}
		_ = t.SetDeadline(time.Time{})
		return true
	}
}

func explainHandshake(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("tunnel: handshake not complete within %v: does the other end run hawser? (%w)", handshakeTime, err)
	}
	if op := (*net.OpError)(nil); errors.As(err, &op) && op.Op == "remote error" && op.Err.Error() == alertALPN {
		return fmt.Errorf("tunnel: handshake: the server does not speak %s: use the same version of client and server (%w)", alpn, err)
	}
	return fmt.Errorf("tunnel: handshake: %w", err)
}

// alertALPN is how crypto/tls words the alert no_application_protocol (RFC 7301 §3.2), whose type it does not export.
const alertALPN = "tls: no application protocol"
