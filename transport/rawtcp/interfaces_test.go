package rawtcp

import (
	"testing"
	"time"

	"hawser/transport/packet"
	"hawser/transport/packettest"
)

// The third segment of a handshake may come by another interface than the SYN, where routes are not symmetric: what the
// SYN-ACK has granted a peer without timestamps, which only a memory of it tells, holds nevertheless.
func TestAHandshakeThatChangesTheInterface(t *testing.T) {
	for _, stamped := range []bool{false, true} {
		var r *rig
		moved := 0
		link := packettest.LinkConfig{Rate: 50e6, Delay: time.Millisecond}
		link.Tamper = func(p *packet.Packet) bool {
			if r == nil || p.Remote != r.link.Addr(packettest.SideB) || p.Header[13]&0x02 != 0 || moved > 0 {
				return true
			}
			moved++
			other := *p
			other.Local, other.Remote, other.Interface = p.Remote, p.Local, p.Interface+98
			other.Own()
			go r.sconn.Inject(other)
			return false
		}
		inBubble(t, 1, link, func(bubble *rig) {
			r = bubble
			r.client.cfg.TCP.NoTimestamps = !stamped
			client, server := r.connect()
			if moved != 1 {
				t.Errorf("%d segments have come by the other interface", moved)
			}
			r.converse(client, server, megabyte, megabyte)
		})
	}
}
