package middlebox

import (
	"testing"
	"time"
)

// proxied opens a connection through an AckAhead, with window scaling by 2 on both sides.
func proxied(t *testing.T, box *AckAhead) *bench {
	b := newBench(t)
	scale := []byte{kindNOP, kindWindowScale, 3, 1}
	b.pass(box.Ahead(), ahead("S", 99, 0, "", scale))
	b.pass(box.Back(), back("SA", 499, 100, "", scale))
	b.pass(box.Ahead(), ahead("A", 100, 500, ""))
	b.want("handshake", []string{"> S 99 opt3", "< SA 499 ack 100 opt3", "> A 100 ack 500"}, nil)
	b.pass(box.Back(), back("A", 500, 100, ""))
	b.want("window of 2000 bytes", []string{"< A 500 ack 100"}, nil)
	return b
}

func TestAckAheadAcknowledgesDataInSequence(t *testing.T) {
	box := &AckAhead{}
	b := proxied(t, box)
	there, here := box.Ahead(), box.Back()
	b.pass(there, ahead("PA", 100, 500, "hello", optTime, optDSS))
	b.want("ahead of the receiver, within its window, without options of MPTCP",
		[]string{`> PA 100 ack 500 ts 7 9 mptcp2 "hello"`}, []string{"< A 500 ack 105 win 997 ts 0 7"})
	b.pass(there, ahead("PA", 110, 500, "later"))
	b.want("a gap passes unacknowledged", []string{`> PA 110 ack 500 "later"`}, nil)
	b.pass(there, ahead("PA", 100, 500, "hello"))
	b.want("the box answers for what it has", nil, []string{"< A 500 ack 105 win 997"})
	b.pass(here, back("A", 500, 100, ""))
	b.want("what says nothing new is swallowed", nil, nil)
	b.pass(here, back("A", 500, 100, "", optDSS, optSACK(110, 115)))
	b.want("unless it speaks MPTCP", []string{"< A 500 ack 105 win 997 mptcp2"}, nil)
	b.pass(here, back("PA", 500, 105, "answer"))
	b.want("the receiver's own word passes", []string{`< PA 500 ack 105 "answer"`}, nil)
	b.pass(there, ahead("FA", 105, 506, ""))
	b.want("FIN is for the receiver to acknowledge", []string{"> FA 105 ack 506"}, nil)
	if d := there.(ackAheadData).Deadline(); !d.IsZero() {
		t.Errorf("deadline %v with nothing to answer for", d)
	}
}

func TestAckAheadSendsAgainUntilAcknowledged(t *testing.T) {
	box := &AckAhead{}
	b := proxied(t, box)
	there, here := box.Ahead(), box.Back()
	b.pass(there, ahead("A", 100, 500, "one"))
	b.pass(there, ahead("A", 103, 500, "two"))
	b.pass(there, ahead("A", 106, 500, "three"))
	b.there, b.back = nil, nil
	t.Log("# silence: after 200 ms, then 400 ms")
	start := b.now
	b.wake(there)
	b.want("first", []string{`> A 100 ack 500 "one"`}, nil)
	b.wake(there)
	b.want("again", []string{`> A 100 ack 500 "one"`}, nil)
	if took := b.now.Sub(start); took != 600*time.Millisecond {
		t.Errorf("the second came after %v, want 600 ms", took)
	}
	t.Log("# a partial acknowledgement brings the next at once")
	b.pass(here, back("A", 500, 103, ""))
	b.want("partial", []string{"< A 500 ack 111 win 996"}, []string{`> A 103 ack 500 "two"`})
	b.pass(here, back("A", 500, 111, ""))
	b.want("all there", []string{"< A 500 ack 111"}, nil)
	t.Log("# three duplicates bring the first at once")
	b.pass(there, ahead("A", 111, 500, "four"))
	b.pass(there, ahead("A", 115, 500, "five"))
	b.there, b.back = nil, nil
	for range 3 {
		b.pass(here, back("A", 500, 111, ""))
	}
	b.want("duplicates", nil, []string{`> A 111 ack 500 "four"`})
	b.pass(here, back("R", 500, 0, ""))
	b.want("reset", []string{"< R 500"}, nil)
	if d := there.(ackAheadData).Deadline(); !d.IsZero() {
		t.Error("the box still answers for a connection that was reset")
	}
}

func TestAckAheadPromisesNoMoreThanWindowAndLimit(t *testing.T) {
	box := &AckAhead{Limit: 6}
	b := proxied(t, box)
	b.pass(box.Ahead(), ahead("A", 100, 500, "four"))
	b.pass(box.Ahead(), ahead("A", 104, 500, "five"))
	b.want("the limit", []string{`> A 100 ack 500 "four"`, `> A 104 ack 500 "five"`}, []string{"< A 500 ack 104 win 998"})

	box = &AckAhead{}
	b = proxied(t, box)
	b.pass(box.Ahead(), ahead("A", 100, 500, string(make([]byte, 1400))))
	if len(b.back) != 1 || b.back[0] != "< A 500 ack 1500 win 300" {
		t.Errorf("got %q", b.back)
	}
	b.there, b.back = nil, nil
	b.pass(box.Ahead(), ahead("A", 1500, 500, string(make([]byte, 601))))
	if len(b.there) != 1 || len(b.back) != 0 {
		t.Errorf("data beyond the window was acknowledged: %q", b.back)
	}
}

func TestAckAheadServesConnectionsFromTheOtherEnd(t *testing.T) {
	box, b := &AckAhead{}, newBench(t)
	b.pass(box.Back(), back("S", 499, 0, ""))
	b.pass(box.Ahead(), ahead("SA", 99, 500, ""))
	b.pass(box.Ahead(), ahead("SA", 99, 500, ""))
	b.there = nil
	b.pass(box.Ahead(), ahead("PA", 100, 500, "hello"))
	b.want("within the window of the SYN", []string{`> PA 100 ack 500 "hello"`}, []string{"< A 500 ack 105 win 995"})
	b.pass(box.Ahead(), ahead("PA", 100, 500, "hello"))
	b.want("without window scaling", nil, []string{"< A 500 ack 105 win 995"})
}

func TestAckAheadMissedConnectionsPass(t *testing.T) {
	box, b := &AckAhead{}, newBench(t)
	b.pass(box.Ahead(), ahead("PA", 100, 500, "hello"))
	b.pass(box.Back(), back("A", 500, 105, ""))
	b.want("no SYN seen", []string{`> PA 100 ack 500 "hello"`, "< A 500 ack 105"}, nil)
}
