package tcp

import (
	"net/netip"
	"time"

	"hawser/transport/wire"
)

// Stats counts what a connection has done.
type Stats struct {
	Received        int64 // segments
	Sent            int64 // segments, super-segments as one
	Packets         int64 // packets that they come to
	SentBytes       int64 // payload, retransmissions included
	Retransmissions int64 // segments sent again, as they are on the wire
	Retransmitted   int64 // their bytes
	Lost            int64 // bytes deemed lost
	Recoveries      int64 // episodes of fast recovery
	Timeouts        int64
	Probes          int64 // tail loss probes
	Undone          int64 // episodes that turned out to be spurious
	DSACKs          int64
	Challenges      int64 // segments answered, or not, with a challenge ACK
	PAWS            int64 // old duplicates by their timestamp
	MTUDrops        int64 // times that the packet size was lowered
	Unreachable     int64 // ICMP errors taken in
	Discarded       int64 // received bytes for which there was no place
}

// Info is a snapshot of a connection.
type Info struct {
	State         State
	Err           error // why it is over
	Local, Remote netip.AddrPort
	MSS           int // payload of a full packet
	SRTT, RTTVar  time.Duration
	MinRTT        time.Duration
	RTO           time.Duration
	Window        int // congestion window, bytes; 0: the handshake is not complete
	PeerWindow    int // bytes that the peer still takes
	InFlight      int
	Lost          int // bytes waiting to be sent again
	Unsent        int
	Delivered     int64
	ReceiveBuffer int
	LastHeard     time.Time
	Timestamps    bool
	SACK          bool
	ECN           bool
	Stats         Stats
}

// Info is a snapshot.
func (m *Machine) Info() Info {
	i := Info{
		State: m.state, Err: m.err, Local: m.cfg.Local, Remote: m.cfg.Remote, MSS: m.mtu.mss,
		SRTT: m.rtt.smoothed, RTTVar: m.rtt.variance, MinRTT: m.rtt.min.value, RTO: m.rto.current(),
		PeerWindow: int(max(0, m.window.edge-m.nxt)), InFlight: m.board.inFlight(), Lost: m.board.lost, Unsent: m.Unsent(),
		Delivered: m.rate.delivered, ReceiveBuffer: m.buf.size, LastHeard: m.epoch.Add(m.keep.heard),
		Timestamps: m.peer.stamped, SACK: m.peer.sack, ECN: m.peer.ecn, Stats: m.stats,
	}
	if m.control != nil {
		i.Window = m.control.Window()
	}
	return i
}

// State is the connection's state.
func (m *Machine) State() State { return m.state }

// SendSeq and ReceiveSeq are the sequence numbers of payload offset 0 of the two streams.
func (m *Machine) SendSeq() wire.Seq { return m.sendSeq(1) }

// ReceiveSeq is the sequence number of the peer's payload offset 0.
func (m *Machine) ReceiveSeq() wire.Seq { return m.recvSeq(1) }
