package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math/rand/v2"
)

// seed makes the file's content: any fixed bytes do.
var seed = [32]byte([]byte("hawser: a rope of several ropes."))

// newFile gives the content of a file of n bytes: the beginning of one endless stream that no path can compress.
func newFile(n int64) io.Reader { return io.LimitReader(rand.NewChaCha8(seed), n) }

// hashOf is the SHA-256 of the file of n bytes, in hexadecimal.
func hashOf(n int64) string {
	h := sha256.New()
	_, _ = io.Copy(h, newFile(n)) // neither end fails
	return hex.EncodeToString(h.Sum(nil))
}
