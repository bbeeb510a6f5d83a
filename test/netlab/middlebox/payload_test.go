package middlebox

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func TestPayloadRewriterKeepsLengthsAndRepairsChecksums(t *testing.T) {
	b, box := newBench(t), RewritePayload("cat", "dog")
	b.v6 = true
	b.pass(box.Ahead(), ahead("PA", 100, 7, "a cat, a cat", optDSS))
	b.pass(box.Ahead(), ahead("PA", 112, 7, "no c-a-t"))
	b.pass(box.Back(), back("A", 7, 120, ""))
	b.want("words", []string{`> PA 100 ack 7 mptcp2 "a dog, a dog"`, `> PA 112 ack 7 "no c-a-t"`, "< A 7 ack 120"}, nil)
	if box.Acted() != 2 {
		t.Errorf("acted %d times, want 2", box.Acted())
	}
}

func TestPayloadRewriterAdjustsSequenceNumbers(t *testing.T) {
	b, box := newBench(t), RewritePayload("PORT 1", "PORT 1234")
	there, here := box.Ahead(), box.Back()
	b.pass(there, ahead("S", 99, 0, ""))
	b.pass(there, ahead("PA", 100, 7, "PORT 1\r\n"))
	b.pass(there, ahead("PA", 108, 7, "LIST\r\n"))
	b.want("what comes after is three later", []string{
		"> S 99", `> PA 100 ack 7 "PORT 1234\r\n"`, `> PA 111 ack 7 "LIST\r\n"`,
	}, nil)
	t.Log("# acknowledgements come back: before, within and after the new bytes")
	for _, ack := range []uint32{100, 104, 109, 111, 117} {
		b.pass(here, back("A", 7, ack, ""))
	}
	b.pass(here, back("A", 7, 100, "", optSACK(111, 117)))
	b.want("acknowledgements", []string{
		"< A 7 ack 100", "< A 7 ack 100", "< A 7 ack 106", "< A 7 ack 108", "< A 7 ack 114", "< A 7 ack 100 sack 108 114",
	}, nil)
	t.Log("# retransmissions are cut differently")
	b.pass(there, ahead("A", 100, 7, "PO"))
	b.pass(there, ahead("A", 102, 7, "RT 1\r\nLIST"))
	b.pass(there, ahead("A", 112, 7, "\r\nQUIT"))
	b.pass(there, ahead("FA", 118, 7, ""))
	b.want("the stream stays the same", []string{
		`> A 100 ack 7 "PORT 1234"`, `> A 109 ack 7 "\r\nLIST"`, `> A 115 ack 7 "\r\nQUIT"`, "> FA 121 ack 7",
	}, nil)
}

func TestPayloadRewriterCutsWhatGrows(t *testing.T) {
	b, box := newBench(t), RewritePayload("a", "bb")
	b.pass(box.Ahead(), ahead("PA", 100, 7, string(bytes.Repeat([]byte("a"), 536))))
	first, _ := dissect(b.raw[0])
	second, _ := dissect(b.raw[1])
	if len(b.raw) != 2 || len(first.payload) != 536 || len(second.payload) != 536 || second.seq != 636 ||
		first.has(flagPSH) || !second.has(flagPSH) {
		t.Errorf("got %.60q …, want two segments of 536 bytes, the second pushed", b.there)
	}
}

// TestEditsAgreeWhateverTheCut sends a random stream in random, overlapping and overtaking pieces, and puts together
// what comes out by its translated sequence numbers.
func TestEditsAgreeWhateverTheCut(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 0))
		stream := make([]byte, 400)
		for i := range stream {
			stream[i] = "ab"[random.IntN(2)]
		}
		old, neu := []byte("abba"), bytes.Repeat([]byte("X"), random.IntN(8))
		base := random.Uint32()
		if seed%5 == 0 {
			base = 0xffffffff - uint32(random.IntN(400)) // sequence numbers wrap
		}
		var e edits
		got := map[uint32]byte{}
		for next := 0; next < len(stream); {
			at := max(0, next-random.IntN(60)+random.IntN(10))
			end := min(len(stream), at+1+random.IntN(50))
			if at >= end {
				continue
			}
			out := e.rewrite(base+uint32(at), stream[at:end], old, neu)
			start := e.ahead(base + uint32(at))
			for i, c := range out {
				if have, ok := got[start+uint32(i)]; ok && have != c {
					t.Fatalf("seed %d: byte %d was %c and is %c", seed, i, have, c)
				}
				got[start+uint32(i)] = c
			}
			if at <= next {
				next = max(next, end)
			}
		}
		end := e.ahead(base + uint32(len(stream)))
		var whole []byte
		for at := e.ahead(base); at != end; at++ {
			c, ok := got[at]
			if !ok {
				t.Fatalf("seed %d: a byte is missing at %d", seed, at-base)
			}
			whole = append(whole, c)
		}
		if n := len(stream) + len(e.list)*(len(neu)-len(old)); len(whole) != n {
			t.Errorf("seed %d: %d bytes for %d edits, want %d", seed, len(whole), len(e.list), n)
		}
		for at := base; at != base+uint32(len(stream))+1; at++ {
			if forth := e.ahead(e.back(e.ahead(at))); before(e.ahead(at), forth) {
				t.Fatalf("seed %d: %d goes ahead and back to something later", seed, at)
			}
		}
	}
}
