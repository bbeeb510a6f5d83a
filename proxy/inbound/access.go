package inbound

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// User may use the proxy from anywhere, with a password.
type User struct {
	Name     string // 1–255 bytes, no colon (RFC 7617 §2)
	Password string // 1–255 bytes (RFC 1929 §2)
}

// verdict is what a source has to show.
type verdict uint8

const (
	refused verdict = iota
	password
	open
)

// access says who may use the proxy. It never changes.
type access struct {
	users []credential
	allow []netip.Prefix
}

// credential holds digests, so that comparing takes the same time whatever the lengths are.
type credential struct{ name, password [sha256.Size]byte }

func newAccess(users []User, allow []netip.Prefix) (*access, error) {
	a := &access{allow: allow}
	for _, u := range users {
		switch {
		case len(u.Name) == 0 || len(u.Name) > 255 || strings.Contains(u.Name, ":"):
			return nil, errors.New("inbound: users: a name must have 1 to 255 bytes and no colon")
		case len(u.Password) == 0 || len(u.Password) > 255:
			return nil, fmt.Errorf("inbound: users: the password of %q must have 1 to 255 bytes", u.Name)
		}
		a.users = append(a.users, newCredential(u.Name, u.Password))
	}
	return a, nil
}

func newCredential(name, password string) credential {
	return credential{sha256.Sum256([]byte(name)), sha256.Sum256([]byte(password))}
}

// judge says what a source has to show. Sources in allow_from need nothing; with users everyone else needs a
// password; without, this machine itself needs nothing and all others are refused.
func (a *access) judge(source netip.Addr) verdict {
	source = source.WithZone("").Unmap()
	for _, p := range a.allow {
		if p.Contains(source) {
			return open
		}
	}
	switch {
	case len(a.users) > 0:
		return password
	case source.IsLoopback():
		return open
	}
	return refused
}

// Valid tells whether a user has this password, in constant time. It is a socks5.CredentialStore.
func (a *access) Valid(name, password string) bool {
	c := newCredential(name, password)
	found := 0
	for _, u := range a.users { // all of them, whichever fits
		found |= subtle.ConstantTimeCompare(u.name[:], c.name[:]) & subtle.ConstantTimeCompare(u.password[:], c.password[:])
	}
	return found == 1
}

// checkListen refuses a listener that strangers could use.
func (a *access) checkListen(addr string) error {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil || ap.Addr().Unmap().IsLoopback() || len(a.users)+len(a.allow) > 0 {
		return nil // err: not an IP listener
	}
	return fmt.Errorf("inbound: %s is outside loopback: set users or allow_from", addr)
}
