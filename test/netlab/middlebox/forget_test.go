package middlebox

import (
	"testing"
	"time"
)

func TestIdleTimeoutForgets(t *testing.T) {
	for _, refuse := range []bool{false, true} {
		b, box := newBench(t), &IdleTimeout{After: time.Minute, Refuse: refuse}
		refused := func(s string) []string {
			if refuse {
				return []string{s}
			}
			return nil
		}
		b.pass(box.Ahead(), ahead("A", 100, 7, "x"))
		b.want("unknown", nil, refused("< R 7 win 0"))
		b.pass(box.Ahead(), ahead("S", 99, 0, ""))
		b.pass(box.Back(), back("SA", 6, 100, ""))
		b.now = b.now.Add(50 * time.Second)
		b.pass(box.Back(), back("A", 7, 100, "y"))
		b.now = b.now.Add(50 * time.Second)
		b.pass(box.Ahead(), ahead("A", 100, 8, ""))
		b.want("either direction keeps it alive", []string{"> S 99", "< SA 6 ack 100", `< A 7 ack 100 "y"`, "> A 100 ack 8"}, nil)
		b.now = b.now.Add(61 * time.Second)
		b.pass(box.Back(), back("A", 8, 100, "z"))
		b.pass(box.Ahead(), ahead("R", 100, 0, ""))
		b.want("forgotten; a reset is not answered", nil, refused("> R 100 win 0"))
		b.pass(box.Back(), back("S", 1, 0, ""))
		b.pass(box.Ahead(), ahead("SA", 1, 2, ""))
		b.want("a new one, from the other end", []string{"< S 1", "> SA 1 ack 2"}, nil)
		box.Forget()
		b.pass(box.Ahead(), ahead("A", 2, 2, ""))
		b.want("after a restart", nil, refused("< R 2 win 0"))
	}
}

func TestRefusalOfASegmentWithoutACKAcknowledgesIt(t *testing.T) {
	s, _ := dissect(newBench(t).frame(ahead("F", 100, 0, "abc")))
	r := s.refusal()
	if got, want := describe(r.frame()), "< RA 0 ack 104 win 0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestResetterForgesTheSequenceNumbersThatAreExpected(t *testing.T) {
	for _, tt := range []struct {
		name        string
		to          Ends
		offset      uint32
		there, back []string
	}{
		{"both", BothEnds, 0, []string{`> PA 105 ack 507 "world"`, "> R 110 win 0"}, []string{"< R 507 win 0"}},
		{"receiver", Receiver, 0, []string{`> PA 105 ack 507 "world"`, "> R 110 win 0"}, nil},
		{"sender", Sender, 0, []string{`> PA 105 ack 507 "world"`}, []string{"< R 507 win 0"}},
		{"in the window only", BothEnds, 9, []string{`> PA 105 ack 507 "world"`, "> R 119 win 0"}, []string{"< R 516 win 0"}},
	} {
		b, box := newBench(t), &Resetter{To: tt.to, Offset: tt.offset, After: 10}
		there, here := box.Ahead(), box.Back()
		b.pass(there, ahead("S", 99, 0, ""))
		b.pass(here, back("SA", 499, 100, ""))
		b.pass(there, ahead("PA", 100, 500, "hello"))
		b.pass(here, back("A", 500, 105, "answer!"))
		b.want("nothing yet", []string{"> S 99", "< SA 499 ack 100", `> PA 100 ack 500 "hello"`, `< A 500 ack 105 "answer!"`}, nil)
		b.pass(there, ahead("PA", 105, 507, "world"))
		b.want(tt.name, tt.there, tt.back)
		b.pass(there, ahead("PA", 110, 507, "more"))
		b.want("once only", []string{`> PA 110 ack 507 "more"`}, nil)
	}
}

func TestResetterFiresOnOrder(t *testing.T) {
	b, box := newBench(t), &Resetter{To: BothEnds}
	there, here := box.Ahead(), box.Back()
	t.Log("# a connection that the other end opens, and a SYN that comes twice")
	b.pass(here, back("S", 499, 0, ""))
	b.pass(here, back("S", 499, 0, ""))
	b.pass(there, ahead("SA", 99, 500, ""))
	b.pass(here, back("PA", 500, 100, "hello"))
	b.want("passes", []string{"< S 499", "< S 499", "> SA 99 ack 500", `< PA 500 ack 100 "hello"`}, nil)
	box.Fire()
	b.wake(there)
	b.want("fired", []string{"> R 100 win 0"}, []string{"< R 505 win 0"})
	box.Fire()
	b.wake(there)
	b.want("a connection is reset once", nil, nil)
}
