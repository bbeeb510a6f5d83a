package configs

import (
	"crypto/subtle"
	"fmt"
)

// hidden is what a secret prints.
const hidden = "[hidden]"

// Secret is a password or a token. The zero value is "none". It hides its text from fmt, JSON, YAML and loggers; the
// text sits behind a pointer because fmt calls no method on unexported fields and would print a string there
// (also what a pointer to an array or a struct points to, for a verb that does not fit).
type Secret struct {
	text *string
}

// NewSecret keeps the text given; an empty one is no secret.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{text: &text}
}

// Reveal gives the text; empty: there is none.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero says whether there is no secret.
func (s Secret) IsZero() bool { return s.text == nil }

// Matches compares in constant time; no text matches an absent secret.
func (s Secret) Matches(text string) bool {
	return s.text != nil && subtle.ConstantTimeCompare([]byte(*s.text), []byte(text)) == 1
}

// Format implements fmt.Formatter for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// MarshalText implements encoding.TextMarshaler without the text, for JSON and loggers.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}
