package packet

import "time"

// Suspicion finds out, for one flow, that a stateful firewall of this host or of its peer cuts the flow because it has
// never seen the data that packet sockets send past it: it then takes the peer's acknowledgements for forged, and resets
// the connection or answers with a prohibition. It is pure: the carrier tells what happens, and asks [Socket.Degrade]
// when a verdict falls. The zero value is a new flow.
type Suspicion struct {
	burst time.Time // when data first went by packet socket; zero: not yet
}

// suspicionTime is how soon after the first data a firewall acts: it needs one acknowledgement, so a round trip, on
// satellite paths nearly a second. A flow that has lasted longer is not cut by one.
const suspicionTime = 2 * time.Second

// Sent notes that data (no handshake, no Control packet) was sent by a packet socket.
func (s *Suspicion) Sent(now time.Time) {
	if s.burst.IsZero() {
		s.burst = now
	}
}

// Cut notes that the flow has ended without a reason that the peer has given: a valid RST without MP_TCPRST or
// MP_FASTCLOSE (RFC 8684 §3.5, §3.6), or one that says "middlebox interference", or a ReportProhibited about a segment
// in flight. True: it looks like a firewall's work, and the interface should send by raw IP.
func (s *Suspicion) Cut(now time.Time) bool {
	return !s.burst.IsZero() && now.Sub(s.burst) <= suspicionTime
}

// Outlived tells whether the flow, of which a valid segment has just come, has lasted longer than a firewall would have
// let it.
func (s *Suspicion) Outlived(now time.Time) bool {
	return !s.burst.IsZero() && now.Sub(s.burst) > suspicionTime
}

// Began is when data first went by packet socket; zero: not yet.
func (s *Suspicion) Began() time.Time { return s.burst }
