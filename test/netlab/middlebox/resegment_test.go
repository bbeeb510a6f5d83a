package middlebox

import (
	"testing"
	"time"
)

func TestSplitCopiesOptionsOntoEachPart(t *testing.T) {
	b, s := newBench(t), &Split{Size: 4}
	b.pass(s, ahead("FPAC", 100, 7, "abcdefghij", optDSS))
	b.pass(s, ahead("PA", 111, 7, "abcd"))
	b.want("parts", []string{
		`> AC 100 ack 7 mptcp2 "abcd"`, `> A 104 ack 7 mptcp2 "efgh"`, `> FPA 108 ack 7 mptcp2 "ij"`, `> PA 111 ack 7 "abcd"`,
	}, nil)
	if s.Acted() != 1 {
		t.Errorf("acted on %d segments, want 1", s.Acted())
	}
}

func TestCoalesceMergesWhatFollows(t *testing.T) {
	b, c := newBench(t), &Coalesce{Size: 10, Wait: time.Second}
	b.pass(c, ahead("A", 100, 7, "abcd", optTime, optDSS))
	b.pass(c, ahead("PA", 104, 9, "efgh", optTime, optDSS))
	b.want("held", nil, nil)
	b.wake(c)
	b.want("the first one's options, the last one's acknowledgement", []string{`> PA 100 ack 9 ts 7 9 mptcp2 "abcdefgh"`}, nil)
	if !c.Deadline().IsZero() {
		t.Error("a deadline with nothing held")
	}
	t.Log("# what does not fit, does not follow, or is no plain data, is not merged, and overtakes nothing")
	for _, s := range []segment{
		ahead("A", 108, 9, "ijklmno"), ahead("A", 115, 9, "pqrs"), ahead("A", 200, 9, "x"), ahead("A", 201, 9, ""),
		ahead("A", 201, 9, "y"), ahead("FA", 202, 9, "z"), ahead("A", 203, 9, "0123456789"), back("A", 9, 203, "other"),
		ahead("A", 213, 9, "1"),
	} {
		b.pass(c, s)
	}
	b.want("order is kept", []string{
		`> A 108 ack 9 "ijklmno"`, `> A 115 ack 9 "pqrs"`, `> A 200 ack 9 "x"`, `> A 201 ack 9`,
		`> A 201 ack 9 "y"`, `> FA 202 ack 9 "z"`, `> A 203 ack 9 "0123456789"`,
	}, nil)
	b.wake(c)
	b.want("each direction by itself", []string{`< A 9 ack 203 "other"`, `> A 213 ack 9 "1"`}, nil)
	if c.Acted() != 1 {
		t.Errorf("merged %d segments, want 1", c.Acted())
	}
}

func TestDuplicateRepeatsEveryNth(t *testing.T) {
	b, d := newBench(t), &Duplicate{Every: 2}
	for seq := range uint32(4) {
		b.pass(d, ahead("A", seq, 7, ""))
	}
	b.want("twins", []string{"> A 0 ack 7", "> A 1 ack 7", "> A 1 ack 7", "> A 2 ack 7", "> A 3 ack 7", "> A 3 ack 7"}, nil)
}

func TestReorderLetsOthersPass(t *testing.T) {
	b, r := newBench(t), &Reorder{Every: 3, Behind: 2, Wait: time.Second}
	for seq := range uint32(9) {
		b.pass(r, ahead("A", seq, 7, ""))
	}
	b.want("every third behind two", []string{
		"> A 0 ack 7", "> A 1 ack 7", "> A 3 ack 7", "> A 4 ack 7", "> A 2 ack 7", "> A 6 ack 7", "> A 7 ack 7", "> A 5 ack 7",
	}, nil)
	t.Log("# the last one is not held for ever")
	b.wake(r)
	b.want("released by time", []string{"> A 8 ack 7"}, nil)
	if !r.Deadline().IsZero() || r.Acted() != 3 {
		t.Errorf("deadline %v, acted on %d segments, want none and 3", r.Deadline(), r.Acted())
	}
}
