package rawtcp

import (
	"testing"
	"time"

	"hawser/transport/packet"
	"hawser/transport/packettest"
)

// An interface whose MTU shrinks under a connection costs a few packets and no time-out: the writer hears it at once.
func TestAShrinkingMTU(t *testing.T) {
	inBubble(t, 1, packettest.LinkConfig{Rate: 50e6, Delay: 10 * time.Millisecond}, func(r *rig) {
		client, server := r.connect()
		time.AfterFunc(200*time.Millisecond, func() { r.link.SetMTU(packettest.SideA, 1300) })
		r.converse(client, server, 4*megabyte, 100)
		st := client.Stats()
		if st.MSS > 1300-20-20-12 || st.Stats.MTUDrops == 0 {
			t.Errorf("MSS %d, %+v", st.MSS, st.Stats)
		}
		if st.Stats.Timeouts > 0 {
			t.Errorf("%d time-outs", st.Stats.Timeouts)
		}
	})
}

// Paths that take less than the least a packet is made are gone through in pieces (RFC 1191 §3), in both directions, also
// when the routers say nothing.
func TestATinyPathMTU(t *testing.T) {
	for _, silent := range []bool{false, true} {
		link := packettest.LinkConfig{Rate: 50e6, Delay: 10 * time.Millisecond, Path: 296, Silent: silent}
		inBubble(t, 1, link, func(r *rig) {
			client, server := r.connect()
			r.converse(client, server, megabyte, 100_000)
			if st := client.Stats(); st.MSS > 552-20-20-12 || st.Stats.MTUDrops == 0 {
				t.Errorf("MSS %d, %+v", st.MSS, st.Stats)
			}
		})
	}
}

// An interface that takes less than that is obeyed to the byte.
func TestATinyInterfaceMTU(t *testing.T) {
	inBubble(t, 1, packettest.LinkConfig{Rate: 50e6, Delay: 10 * time.Millisecond}, func(r *rig) {
		client, server := r.connect()
		time.AfterFunc(100*time.Millisecond, func() { r.link.SetMTU(packettest.SideA, 300) })
		r.converse(client, server, megabyte, 100)
		if st := client.Stats(); st.MSS != 300-20-20-12 {
			t.Errorf("MSS %d, %+v", st.MSS, st.Stats)
		}
	})
}

// A listener tells each peer the segment size of the interface that it came by, as it is now.
func TestAListenerFollowsItsInterfacesMTU(t *testing.T) {
	var asked []int
	link := packettest.LinkConfig{Delay: time.Millisecond}
	link.Tamper = func(p *packet.Packet) bool {
		if h := p.Header; h[13] == 0x12 && len(h) >= 24 && h[20] == 2 { // SYN, ACK, and MSS as the first option
			asked = append(asked, int(h[22])<<8|int(h[23]))
		}
		return true
	}
	inBubble(t, 1, link, func(r *rig) {
		r.connect()
		r.link.SetMTU(packettest.SideB, 1280)
		time.Sleep(time.Second)
		r.connect()
	})
	if len(asked) != 2 || asked[0] != 1460 || asked[1] != 1240 {
		t.Errorf("segment sizes %v, want 1460 and 1240", asked)
	}
}

// A reset soon after the first data looks like a firewall's work, one later does not, nor one after
// both streams have ended.
func TestAnEarlyResetDegradesTheInterface(t *testing.T) {
	for _, c := range []struct {
		after time.Duration
		ended bool // both streams have ended before
		cut   bool
	}{{500 * time.Millisecond, false, true}, {5 * time.Second, false, false}, {500 * time.Millisecond, true, false}} {
		inBubble(t, 1, packettest.LinkConfig{Delay: 10 * time.Millisecond}, func(r *rig) {
			client, server := r.connect()
			if _, err := client.Write([]byte("first")); err != nil {
				t.Fatal(err)
			}
			if c.ended {
				if err := server.CloseWrite(); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(c.after)
			if c.ended {
				if err := client.CloseWrite(); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Millisecond) // before the server has the FIN
			}
			server.Abort()
			<-client.Done()
			if (r.modes.reason != "") != c.cut || c.cut && r.modes.index != r.link.Index() {
				t.Errorf("reset after %v, ended %v: interface %d degraded: %q", c.after, c.ended, r.modes.index, r.modes.reason)
			}
		})
	}
}
