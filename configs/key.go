package configs

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
)

// PublicKey is an Ed25519 public key (RFC 8032 §5.1.5). It is comparable; the zero value is "none".
type PublicKey [ed25519.PublicKeySize]byte

// errPublicKey says what a public key looks like.
var errPublicKey = errors.New("use a public key: 44 characters of base64")

// String gives the key in standard base64, as it stands in configuration; the zero key gives an empty string.
func (k PublicKey) String() string {
	if k.IsZero() {
		return ""
	}
	return base64.StdEncoding.EncodeToString(k[:])
}

// IsZero says whether there is no key.
func (k PublicKey) IsZero() bool { return k == PublicKey{} }

// Ed25519 gives a copy of the key in the standard library's form.
func (k PublicKey) Ed25519() ed25519.PublicKey {
	return ed25519.PublicKey(append([]byte(nil), k[:]...))
}

// MarshalText implements encoding.TextMarshaler.
func (k PublicKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; it accepts standard base64 of 32 bytes, not all of them zero.
func (k *PublicKey) UnmarshalText(text []byte) error {
	b, err := base64.StdEncoding.Strict().DecodeString(string(text))
	if err != nil || len(b) != len(k) || PublicKey(b).IsZero() {
		return errPublicKey
	}
	*k = PublicKey(b)
	return nil
}

// PublicKeyOf converts from the standard library's form; false: the length is wrong.
func PublicKeyOf(k ed25519.PublicKey) (PublicKey, bool) {
	if len(k) != ed25519.PublicKeySize {
		return PublicKey{}, false
	}
	return PublicKey(k), true
}

// PrivateKey is an Ed25519 private key, held as its seed (RFC 8032 §5.1.5). The zero value is "none". It hides
// itself from fmt, JSON and loggers.
type PrivateKey struct {
	seed Secret // 32 raw bytes
}

// NewPrivateKey makes a key from the system's randomness.
func NewPrivateKey() PrivateKey {
	var seed [ed25519.SeedSize]byte
	_, _ = rand.Read(seed[:]) // documented never to fail
	return privateKey(seed[:])
}

// privateKey makes a key from a copy of its seed.
func privateKey(seed []byte) PrivateKey {
	if len(seed) != ed25519.SeedSize {
		panic("BUG: seed of a wrong length")
	}
	return PrivateKey{seed: NewSecret(string(seed))}
}

// bytes gives the seed.
func (k PrivateKey) bytes() []byte { return []byte(k.seed.Reveal()) }

// IsZero says whether there is no key.
func (k PrivateKey) IsZero() bool { return k.seed.IsZero() }

// Ed25519 gives the key in the standard library's form; nil for the zero key.
func (k PrivateKey) Ed25519() ed25519.PrivateKey {
	if k.IsZero() {
		return nil
	}
	return ed25519.NewKeyFromSeed(k.bytes())
}

// Public gives the public key that belongs to it; the zero key gives the zero key.
func (k PrivateKey) Public() PublicKey {
	if k.IsZero() {
		return PublicKey{}
	}
	return PublicKey(k.Ed25519().Public().(ed25519.PublicKey))
}

// Format implements fmt.Formatter for every verb.
func (k PrivateKey) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// MarshalText implements encoding.TextMarshaler without the key, for JSON and loggers.
func (k PrivateKey) MarshalText() ([]byte, error) { return []byte(hidden), nil }
