package tcp

import (
	"testing"

	"hawser/transport/wire"
)

// RFC 3168 §6.1.5: packets that are sent again are not marked as ECN-capable, and CWR goes with the first new data (§6.1.2).
func TestRetransmissionsAreNotECNCapable(t *testing.T) {
	s := marked(t)
	s.cc.fixed, s.cc.owns = 100_000, true
	s.append(10_000)
	s.emit()
	s.pass(rtt10)
	s.give(ack, 1, 1, "", s.sack(1001, 5001))
	s.append(3000)
	s.emit()
	again, fresh := 0, 0
	for i := range s.out {
		switch o := &s.out[i]; {
		case o.Len == 0:
		case o.Seq.Diff(s.m.iss) < 10_001:
			if again++; o.ECN != wire.NotECT || o.Flags.Has(wire.CWR) {
				t.Errorf("sent again with %v: %v", o.ECN, o)
			}
		default:
			if fresh++; o.ECN != wire.ECT0 || o.Flags.Has(wire.CWR) != (fresh == 1) {
				t.Errorf("new data %d with %v: %v", fresh, o.ECN, o)
			}
		}
	}
	if again == 0 || fresh == 0 {
		t.Errorf("%d retransmissions, %d new segments", again, fresh)
	}
}

// marked is a connection with ECN.
func marked(t *testing.T) *script {
	s := dial(t, func(c *Config) { c.ECN = true })
	s.emit()
	s.pass(rtt10)
	s.give(wire.SYN|wire.ACK|wire.ECE, 0, 1, "", wire.TCPOptions{MSS: 1000, SACKPermitted: true})
	s.emit()
	return s
}

// RFC 3168 §6.1.3: ECE is repeated until a CWR comes, which its sender sets on the first new data (§6.1.2): one on a segment
// without data is not believed.
func TestTheEchoOfAMarkEndsWithCWROnData(t *testing.T) {
	s := marked(t)
	s.m.ecn.receive(&wire.Segment{ECN: wire.CE, Len: 1})
	for i, c := range []struct {
		flags wire.Flags
		data  string
		echo  bool
	}{{ack, "a", true}, {ack | wire.CWR, "", true}, {ack, "b", true}, {ack | wire.CWR, "c", false}, {ack, "d", false}} {
		s.give(c.flags, int(s.m.in.nxt), 1, c.data)
		s.m.Acknowledge()
		s.emit()
		if n := len(s.out); n == 0 || s.out[n-1].Flags.Has(wire.ECE) != c.echo {
			t.Errorf("after segment %d the echo is %v", i, !c.echo)
		}
	}
}
