package main

import (
	"bytes"
	"io"
	"slices"
	"testing"
)

func TestVerifierTellsWhatIsWrong(t *testing.T) {
	s := stream{1, 1000}
	sent, err := io.ReadAll(s.source())
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(sent)
	flipped[500] ^= 1
	for name, c := range map[string]struct {
		arrived []byte
		right   bool
	}{
		"all of it":      {sent, true},
		"another byte":   {flipped, false},
		"too little":     {sent[:999], false},
		"too much":       {append(bytes.Clone(sent), 0), false},
		"another stream": {bytes.Repeat([]byte{7}, 1000), false},
	} {
		v := newVerifier(s)
		for piece := range slices.Chunk(c.arrived, 300) {
			if _, err := v.Write(piece); err != nil {
				t.Fatal(err)
			}
		}
		if err := v.err(); (err == nil) != c.right {
			t.Errorf("%s: %v", name, err)
		}
	}
}
