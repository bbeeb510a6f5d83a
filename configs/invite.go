package configs

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode"
)

// An invite is inviteScheme and unpadded base64url of
//
//	version u8 = 1 | length u16 of what follows up to the checksum | seed 32 | server's public key 32 |
//	raw port u16 | plain port u16 | name u8 n, n bytes | count u8 | count × (u8 n, n bytes) |
//	checksum: the first 4 bytes of the SHA-256 of all before
//
// in network byte order. The length tells a truncated copy from a damaged one; the version stands first so that
// later ones may change all the rest.
const (
	inviteScheme   = "hawser://"
	inviteVersion  = 1
	inviteHead     = 3
	inviteSum      = 4
	maxInviteText  = 16 << 10 // characters
	maxInviteHosts = 32
)

// Invite is what a client needs to reach a server and be known by it: a secret. It hides itself from fmt, JSON and
// loggers; Encode gives it away.
type Invite struct {
	Name      string     // the client's
	Key       PrivateKey // the client's
	Server    PublicKey
	Addresses []string // names or addresses of the server, 1–32
	RawPort   uint16   // 0: the server does not offer that carrier
	PlainPort uint16   // likewise; at least one of the two is not 0
}

// Encode gives the invite as one line without its end. It holds the client's private key.
func (v Invite) Encode() string {
	if v.Key.IsZero() {
		panic("BUG: invite without a key")
	}
	body := v.Key.bytes()
	body = append(body, v.Server[:]...)
	body = binary.BigEndian.AppendUint16(body, v.RawPort)
	body = binary.BigEndian.AppendUint16(body, v.PlainPort)
	body = appendText(body, v.Name)
	body = append(body, byte(len(v.Addresses)))
	for _, a := range v.Addresses {
		body = appendText(body, a)
	}
	b := []byte{inviteVersion}
	b = binary.BigEndian.AppendUint16(b, uint16(len(body)))
	b = append(b, body...)
	sum := sha256.Sum256(b)
	return inviteScheme + base64.RawURLEncoding.EncodeToString(append(b, sum[:inviteSum]...))
}

// appendText appends a length of one byte and the text.
func appendText(b []byte, s string) []byte {
	if len(s) > 255 {
		panic("BUG: invite with an unchecked text")
	}
	return append(append(b, byte(len(s))), s...)
}

// ParseInvite reads an invite; white space in it (a copy that was wrapped) is ignored. Errors are of type *Error and
// never hold the text.
func ParseInvite(text string) (Invite, error) {
	body, err := inviteBody(text)
	if err != nil {
		return Invite{}, err
	}
	v, ok := parseInviteBody(body)
	if !ok {
		return Invite{}, fault("invite", "damaged: its fields do not fit; ask for a new one")
	}
	if err := v.check(); err != nil {
		return Invite{}, fault("invite", "damaged: %s; ask for a new one", err)
	}
	return v, nil
}

// inviteBody undoes the text form: scheme, base64, version, length and checksum.
func inviteBody(text string) ([]byte, error) {
	if len(text) > maxInviteText {
		return nil, fault("invite", "too long: an invite is one line that begins with %s", inviteScheme)
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
	code, ok := strings.CutPrefix(text, inviteScheme)
	if !ok {
		return nil, fault("invite", "not an invite: it is one line that begins with %s, as hawser-server invite prints it", inviteScheme)
	}
	if bad := strings.IndexFunc(code, notBase64URL); bad >= 0 {
		return nil, fault("invite", "damaged: character %d does not belong there; copy it again", len(inviteScheme)+bad+1)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(code)
	if len(b) > 0 && b[0] != inviteVersion {
		return nil, fault("invite", "version %d, this program knows %d: update the older of client and server", b[0], inviteVersion)
	}
	if err != nil || len(b) < inviteHead || len(b) < inviteLength(b) {
		return nil, fault("invite", "cut off: the copy ends too early; copy the whole line")
	}
	if len(b) > inviteLength(b) {
		return nil, fault("invite", "damaged: something follows its end; copy it again")
	}
	end := len(b) - inviteSum
	if sum := sha256.Sum256(b[:end]); string(sum[:inviteSum]) != string(b[end:]) {
		return nil, fault("invite", "damaged: the checksum is wrong; copy it again")
	}
	return b[inviteHead:end], nil
}

// inviteLength is the length of the whole from its head.
func inviteLength(b []byte) int {
	return inviteHead + int(binary.BigEndian.Uint16(b[1:])) + inviteSum
}

// notBase64URL says whether a character is outside the alphabet of RFC 4648 §5.
func notBase64URL(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
}

// parseInviteBody reads the fields; false: they do not fill the body exactly.
func parseInviteBody(b []byte) (v Invite, ok bool) {
	const fixed = ed25519.SeedSize + ed25519.PublicKeySize + 4
	if len(b) < fixed {
		return v, false
	}
	v.Key = privateKey(b[:ed25519.SeedSize])
	v.Server = PublicKey(b[ed25519.SeedSize:])
	v.RawPort = binary.BigEndian.Uint16(b[fixed-4:])
	v.PlainPort = binary.BigEndian.Uint16(b[fixed-2:])
	b = b[fixed:]
	if v.Name, b, ok = consumeText(b); !ok || len(b) == 0 {
		return v, false
	}
	count := int(b[0])
	b = b[1:]
	for range count {
		var a string
		if a, b, ok = consumeText(b); !ok {
			return v, false
		}
		v.Addresses = append(v.Addresses, a)
	}
	return v, len(b) == 0
}

// consumeText reads a length of one byte and the text.
func consumeText(b []byte) (s string, rest []byte, ok bool) {
	if len(b) == 0 || len(b)-1 < int(b[0]) {
		return "", nil, false
	}
	n := 1 + int(b[0])
	return string(b[1:n]), b[n:], true
}

// check holds the rules of every field.
func (v Invite) check() error {
	if err := checkName(v.Name); err != nil {
		return fmt.Errorf("client name: %w", err)
	}
	if v.Server.IsZero() {
		return fmt.Errorf("no public key of the server")
	}
	if v.RawPort == 0 && v.PlainPort == 0 {
		return fmt.Errorf("no port of the server")
	}
	if len(v.Addresses) == 0 || len(v.Addresses) > maxInviteHosts {
		return fmt.Errorf("%d addresses of the server, want 1 to %d", len(v.Addresses), maxInviteHosts)
	}
	for _, a := range v.Addresses {
		if err := checkHost(a); err != nil {
			return fmt.Errorf("address of the server: %w", err)
		}
	}
	return nil
}

// String names the invite without its secret.
func (v Invite) String() string {
	return fmt.Sprintf("invite for %q to %s %s", v.Name, strings.Join(v.Addresses, ","), hidden)
}

// Format implements fmt.Formatter: every verb prints String.
func (v Invite) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(v.String())) }

// MarshalText implements encoding.TextMarshaler with String, for JSON and loggers.
func (v Invite) MarshalText() ([]byte, error) { return []byte(v.String()), nil }
