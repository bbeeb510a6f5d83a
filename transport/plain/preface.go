package plain

import (
	"errors"
	"fmt"
)

// The preface (protocol.md §1.1): what each side sends first.
const (
	prefaceLen = 8
	// Major is the version of the plain carrier that this program speaks.
	Major = 1
	// Minor adds record types that may be skipped, nothing else.
	Minor = 0
)

// magic opens every preface: "hwsr".
const magic = "hwsr"

// Errors of a preface. They are wrapped with the peer's address.
var (
	// ErrNotHawser says that what the peer sent first is not a preface.
	ErrNotHawser = errors.New("the peer does not speak Hawser's plain carrier")
	// ErrVersion says that the peer speaks another major version.
	ErrVersion = errors.New("the peer speaks another version of Hawser's plain carrier")
)

// preface is what a peer says about itself first.
type preface struct{ Major, Minor uint8 }

// String prints the preface as logs show it.
func (p preface) String() string { return fmt.Sprintf("preface %d.%d", p.Major, p.Minor) }

// appendPreface adds p as on the wire.
func appendPreface(b []byte, p preface) []byte {
	return append(append(b, magic...), p.Major, p.Minor, 0, 0)
}

// consumePreface reads a preface; n is 0 when b is a good start but too short, negative when b cannot become one.
func consumePreface(b []byte) (p preface, n int) {
	k := min(len(b), len(magic))
	if string(b[:k]) != magic[:k] {
		return preface{}, -1
	}
	if len(b) < prefaceLen {
		return preface{}, 0
	}
	return preface{Major: b[4], Minor: b[5]}, prefaceLen
}

// check says why p's sender cannot be talked to; nil: it can.
func (p preface) check() error {
	if p.Major != Major {
		return fmt.Errorf("%w: it speaks %d, this program speaks %d; update the older side", ErrVersion, p.Major, Major)
	}
	return nil
}
