package configs

import (
	"errors"
	"strconv"
	"strings"
)

// Size is an amount of memory in bytes; 0 is "auto".
type Size int64

// Bounds of a Size that is not automatic.
const (
	minSize Size = 16_000_000
	maxSize Size = 1_000_000_000_000
)

// units are the suffixes of sizes: SI ones are decimal, IEC ones binary.
var units = []struct {
	suffix string
	bytes  Size
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30},
	{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9},
}

// errSize says what a size looks like.
var errSize = errors.New("use auto or a size from 16MB to 1000GB, such as 512MB or 1GiB")

// UnmarshalText implements encoding.TextUnmarshaler: "auto", or a whole number and a unit.
func (s *Size) UnmarshalText(text []byte) error {
	if string(text) == "auto" {
		*s = 0
		return nil
	}
	for _, u := range units {
		digits, ok := strings.CutSuffix(string(text), u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimRight(digits, " "), 10, 40)
		if err != nil || Size(n) > maxSize/u.bytes || Size(n)*u.bytes < minSize {
			return errSize
		}
		*s = Size(n) * u.bytes
		return nil
	}
	return errSize
}

// String gives "auto" or the number with the largest unit that divides it.
func (s Size) String() string {
	if s == 0 {
		return "auto"
	}
	best := strconv.FormatInt(int64(s), 10) + "B"
	for _, u := range units {
		if s%u.bytes == 0 {
			if t := strconv.FormatInt(int64(s/u.bytes), 10) + u.suffix; len(t) < len(best) {
				best = t
			}
		}
	}
	return best
}

// MarshalText implements encoding.TextMarshaler.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
