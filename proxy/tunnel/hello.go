package tunnel

import (
	"fmt"
	"io"
	"time"
)

// Version is the version of session and streams that this package speaks (docs/protocol.md §2.2).
const Version = 1

const maxSoftware = 64 // bytes

// Hello is what a client says first inside TLS (docs/protocol.md §2.2).
type Hello struct {
	Version   uint16
	Instance  [8]byte       // random, new at each start of the client
	AddressID uint8         // of the first subflow's uplink
	Survive   time.Duration // how long the session should outlive its last subflow; whole seconds
	Software  string        // at most 64 bytes
}

// Fields of a hello.
const (
	helloVersion uint8 = iota + 1
	helloInstance
	helloAddressID
	helloSurvive
	helloSoftware
)

// AppendHello writes a hello.
func AppendHello(b []byte, h Hello) []byte {
	return appendMessage(b, func(b []byte) []byte {
		b = appendField16(b, helloVersion, h.Version)
		b = appendField(b, helloInstance, h.Instance[:]...)
		b = appendField(b, helloAddressID, h.AddressID)
		b = appendField32(b, helloSurvive, seconds(h.Survive))
		return appendText(b, helloSoftware, h.Software, maxSoftware)
	})
}

// ReadHello reads a hello; it takes nothing of what follows.
func ReadHello(r io.Reader) (Hello, error) {
	body, err := readMessage(r)
	if err != nil {
		return Hello{}, fmt.Errorf("tunnel: hello: %w", err)
	}
	return parseHello(body)
}

func parseHello(body []byte) (Hello, error) {
	var h Hello
	var survive uint32
	var named bool
	err := eachField(body, func(kind uint8, v []byte) bool {
		switch kind {
		case helloVersion:
			return field16(v, &h.Version)
		case helloInstance:
			named = copy(h.Instance[:], v) == len(h.Instance) && len(v) == len(h.Instance)
			return named
		case helloAddressID:
			return field8(v, &h.AddressID)
		case helloSurvive:
			return field32(v, &survive)
		case helloSoftware:
			return fieldText(v, &h.Software, maxSoftware)
		}
		return true
	})
	h.Survive = time.Duration(survive) * time.Second
	if err == nil && (h.Version == 0 || !named) {
		err = fmt.Errorf("%w: version or instance is missing", errMessage)
	}
	if err != nil {
		return Hello{}, fmt.Errorf("tunnel: hello: %w", err)
	}
	return h, nil
}

// String gives the hello as a log shows it.
func (h Hello) String() string {
	return fmt.Sprintf("hello version %d instance %x address %d survive %v software %q",
		h.Version, h.Instance, h.AddressID, h.Survive, h.Software)
}

// seconds rounds up to whole seconds within 32 bits.
func seconds(d time.Duration) uint32 {
	if d <= 0 {
		return 0
	}
	return uint32(min((d+time.Second-1)/time.Second, 1<<32-1))
}
