package tunnel

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// Identity is who this end is: a private key, and the certificate around it that TLS wants. Only the key counts; the
// certificate is made anew at each start, names nobody and never expires.
type Identity struct {
	certificate tls.Certificate
	public      ed25519.PublicKey
}

// NewIdentity makes an identity of a key.
func NewIdentity(key ed25519.PrivateKey) (*Identity, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, errors.New("tunnel: the identity is not an ed25519 private key: check the key file")
	}
	public := key.Public().(ed25519.PublicKey)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Unix(0, 0),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), // no expiry (RFC 5280 §4.1.2.5)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	if err != nil {
		return nil, fmt.Errorf("tunnel: certificate for the identity: %w", err)
	}
	return &Identity{
		certificate: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		public:      public,
	}, nil
}

// Public is the key that the other end knows this one by.
func (id *Identity) Public() ed25519.PublicKey { return id.public }

// Fingerprint is a public key as configuration and messages show it: standard base64, 44 characters.
func Fingerprint(key ed25519.PublicKey) string { return base64.StdEncoding.EncodeToString(key) }
