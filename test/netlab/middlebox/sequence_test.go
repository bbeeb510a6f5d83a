package middlebox

import (
	"fmt"
	"testing"
)

func TestSequenceRewriterTranslatesBothDirections(t *testing.T) {
	b, box := newBench(t), RewriteSequence(1)
	there, here := box.Ahead(), box.Back()
	b.pass(there, ahead("S", 100, 0, ""))
	syn, _ := dissect(b.raw[0])
	a := syn.seq - 100
	b.pass(here, back("SA", 500, 101+a, ""))
	synack, _ := dissect(b.raw[1])
	z := synack.seq - 500
	if a == 0 || z == 0 || a == z {
		t.Fatalf("offsets %d and %d, want two random ones", a, z)
	}
	b.there, b.raw = nil, nil
	b.pass(there, ahead("A", 101, 501+z, "data", optSACK(511+z, 521+z)))
	b.pass(here, back("A", 501, 101+a, "", optSACK(105+a, 109+a)))
	b.want("data and acknowledgements", []string{
		fmt.Sprintf(`> A %d ack 501 sack 511 521 "data"`, 101+a),
		fmt.Sprintf("< A %d ack 101 sack 105 109", 501+z),
	}, nil)
	t.Log("# a retransmitted SYN gets the offset of the first one")
	b.pass(there, ahead("S", 100, 0, ""))
	b.want("SYN once more", []string{fmt.Sprintf("> S %d", 100+a)}, nil)
	t.Log("# the known defect: SACK blocks stay as they are")
	box.KeepSACK = true
	b.pass(here, back("A", 501, 101+a, "", optSACK(105+a, 109+a)))
	b.want("SACK kept", []string{fmt.Sprintf("< A %d ack 101 sack %d %d", 501+z, 105+a, 109+a)}, nil)
}

func TestSequenceRewriterLeavesConnectionsThatItMissed(t *testing.T) {
	b, box := newBench(t), RewriteSequence(1)
	b.pass(box.Ahead(), ahead("A", 100, 7, "x"))
	b.want("no SYN seen", []string{`> A 100 ack 7 "x"`}, nil)
	if box.Acted() != 0 {
		t.Errorf("acted on %d segments", box.Acted())
	}
}
