package tunnel

import (
	"fmt"
	"io"
	"time"
)

// Status is the server's verdict on a hello (docs/protocol.md §2.2).
type Status uint8

// The values of Status.
const (
	StatusWelcome      Status = iota
	StatusUnknownKey          // key not listed or revoked
	StatusVersion             // version not spoken
	StatusFull                // no room for another session
	StatusShuttingDown        // the server is about to end
)

// String is the status in words.
func (s Status) String() string {
	texts := [...]string{"welcome", "key not listed or revoked", "version not spoken", "server full", "server is shutting down"}
	if int(s) < len(texts) {
		return texts[s]
	}
	return fmt.Sprintf("status %d", uint8(s))
}

const maxWelcomeText = 200 // bytes

// Welcome is the server's answer to a hello (docs/protocol.md §2.2).
type Welcome struct {
	Status    Status
	Version   uint16
	Text      string        // for a person, at most 200 bytes
	Streams   uint32        // allowed at once in this session; 0: the server did not say
	RawPort   uint16        // 0: off
	PlainPort uint16        // 0: off
	Survive   time.Duration // whole seconds
	Software  string        // at most 64 bytes
	Heard     uint32        // bytes of the transport that the server has read, its hello the last of them
}

// Fields of a welcome.
const (
	welcomeStatus uint8 = iota + 1
	welcomeVersion
	welcomeText
	welcomeStreams
	welcomeRawPort
	welcomePlainPort
	welcomeSurvive
	welcomeSoftware
	welcomeHeard
)

// AppendWelcome writes a welcome.
func AppendWelcome(b []byte, w Welcome) []byte {
	return appendMessage(b, func(b []byte) []byte {
		b = appendField(b, welcomeStatus, uint8(w.Status))
		b = appendField16(b, welcomeVersion, w.Version)
		b = appendText(b, welcomeText, w.Text, maxWelcomeText)
		b = appendField32(b, welcomeStreams, w.Streams)
		b = appendField16(b, welcomeRawPort, w.RawPort)
		b = appendField16(b, welcomePlainPort, w.PlainPort)
		b = appendField32(b, welcomeSurvive, seconds(w.Survive))
		b = appendText(b, welcomeSoftware, w.Software, maxSoftware)
		if w.Heard == 0 {
			return b
		}
		return appendField32(b, welcomeHeard, w.Heard)
	})
}

// ReadWelcome reads a welcome; it takes nothing of what follows.
func ReadWelcome(r io.Reader) (Welcome, error) {
	body, err := readMessage(r)
	if err != nil {
		return Welcome{}, fmt.Errorf("tunnel: welcome: %w", err)
	}
	return parseWelcome(body)
}

func parseWelcome(body []byte) (Welcome, error) {
	var w Welcome
	var survive uint32
	var judged bool
	err := eachField(body, func(kind uint8, v []byte) bool {
		switch kind {
		case welcomeStatus:
			judged = field8(v, (*uint8)(&w.Status))
			return judged
		case welcomeVersion:
			return field16(v, &w.Version)
		case welcomeText:
			return fieldText(v, &w.Text, maxWelcomeText)
		case welcomeStreams:
			return field32(v, &w.Streams)
		case welcomeRawPort:
			return field16(v, &w.RawPort)
		case welcomePlainPort:
			return field16(v, &w.PlainPort)
		case welcomeSurvive:
			return field32(v, &survive)
		case welcomeSoftware:
			return fieldText(v, &w.Software, maxSoftware)
		case welcomeHeard:
			return field32(v, &w.Heard)
		}
		return true
	})
	w.Survive = time.Duration(survive) * time.Second
	if err == nil && !judged {
		err = fmt.Errorf("%w: status is missing", errMessage)
	}
	if err != nil {
		return Welcome{}, fmt.Errorf("tunnel: welcome: %w", err)
	}
	return w, nil
}

// String gives the welcome as a log shows it.
func (w Welcome) String() string {
	return fmt.Sprintf("welcome %v version %d text %q streams %d raw %d plain %d survive %v software %q heard %d",
		w.Status, w.Version, w.Text, w.Streams, w.RawPort, w.PlainPort, w.Survive, w.Software, w.Heard)
}
