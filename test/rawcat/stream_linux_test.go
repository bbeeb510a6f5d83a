package main

import (
	"fmt"
	"io"
	"math/rand/v2"
)

// stream is bytes that are nowhere alike and that are made when they are read, so that it may be long.
type stream struct {
	seed byte // of its bytes: equal seeds, equal bytes
	size int64
}

// source reads the stream from its beginning.
func (s stream) source() io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{s.seed}), s.size)
}

// verifier is where a stream is expected to arrive. It compares every byte with the one that was sent.
type verifier struct {
	stream
	want io.Reader
	got  int64
	bad  int64 // offset of the first piece that differs; negative: none does
	b    []byte
}

func newVerifier(s stream) *verifier { return &verifier{stream: s, want: s.source(), bad: -1} }

// Write takes what has arrived. It takes wrong bytes as well: err tells.
func (v *verifier) Write(b []byte) (int, error) {
	if len(v.b) < len(b) {
		v.b = make([]byte, len(b))
	}
	n, _ := io.ReadFull(v.want, v.b[:len(b)]) // less at the end: then too much has arrived, which the number says
	if v.bad < 0 && string(v.b[:n]) != string(b[:n]) {
		v.bad = v.got
	}
	v.got += int64(len(b))
	return len(b), nil
}

// err is what is wrong with what has arrived, once all should have.
func (v *verifier) err() error {
	switch {
	case v.bad >= 0:
		return fmt.Errorf("what arrived differs from what was sent, at byte %d or soon after", v.bad)
	case v.got != v.size:
		return fmt.Errorf("%d bytes arrived, want the %d that were sent", v.got, v.size)
	}
	return nil
}
