package tunnel

import (
	"bytes"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
)

const (
	// alpn names session and streams of this version (RFC 7301).
	alpn = "hawser/1"
	// bindingLabel and bindingSize are of the secret that joins are bound to (docs/protocol.md §1.3, RFC 8446 §7.5).
	bindingLabel = "EXPORTER-hawser-binding"
	bindingSize  = 32
)

// ServerKeyError is a server that proved another key than the one that was expected.
type ServerKeyError struct {
	Want, Got ed25519.PublicKey
}

// Error gives both keys and what to do.
func (e *ServerKeyError) Error() string {
	return fmt.Sprintf("the server's public key is %s, but server.public_key is %s: "+
		"if the server was set up anew, join again with a new invite; otherwise something else answers at its address",
		Fingerprint(e.Got), Fingerprint(e.Want))
}

var (
	errALPN = errors.New("the peer does not speak " + alpn)
	errKey  = errors.New("the peer's certificate holds no ed25519 key")
)

// peerKey checks what every connection must have and returns the key that the peer has proved. No chain is built and no
// name or date is looked at: the key is all that counts, as in WireGuard.
func peerKey(cs tls.ConnectionState) (ed25519.PublicKey, error) {
	if cs.NegotiatedProtocol != alpn {
		return nil, errALPN
	}
	if len(cs.PeerCertificates) == 0 {
		return nil, errKey
	}
	key, ok := cs.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	if !ok {
		return nil, errKey
	}
	return key, nil
}

func baseTLS(id *Identity) *tls.Config {
	return &tls.Config{
		Certificates:                []tls.Certificate{id.certificate},
		MinVersion:                  tls.VersionTLS13,
		NextProtos:                  []string{alpn},
		SessionTicketsDisabled:      true,
		DynamicRecordSizingDisabled: true, // where TLS goes on after the welcome, one frame of the mux is one record
	}
}

// clientTLS accepts the server with the given key alone. The check runs before the client's own certificate is sent.
func clientTLS(id *Identity, server ed25519.PublicKey) *tls.Config {
	c := baseTLS(id)
	c.InsecureSkipVerify = true // of chains and names, which there are none of; VerifyConnection decides
	c.VerifyConnection = func(cs tls.ConnectionState) error {
		key, err := peerKey(cs)
		if err != nil {
			return err
		}
		if !bytes.Equal(key, server) {
			return &ServerKeyError{Want: server, Got: key}
		}
		return nil
	}
	return c
}

// serverTLS accepts every client that proves an ed25519 key. Whether the key is listed is said by the welcome, so that
// a client that is turned away learns why.
func serverTLS(id *Identity) *tls.Config {
	c := baseTLS(id)
	c.ClientAuth = tls.RequireAnyClientCert
	c.VerifyConnection = func(cs tls.ConnectionState) error {
		_, err := peerKey(cs)
		return err
	}
	return c
}

// bind gives the transport the secret that both ends share and nobody else can know.
func bind(t Transport, conn *tls.Conn) error {
	cs := conn.ConnectionState()
	secret, err := cs.ExportKeyingMaterial(bindingLabel, nil, bindingSize)
	if err != nil {
		return fmt.Errorf("tunnel: export the binding: %w", err)
	}
	t.Bind(secret, cs.CipherSuite == tls.TLS_CHACHA20_POLY1305_SHA256)
	return nil
}
