package transport

import (
	"net/netip"
	"time"

	"hawser/transport/wire"
)

// Input is one delivery from a carrier's helper goroutine to its own subflow. The session's loop passes it to Handle
// unread; only the carrier that posted it knows what is inside. Release is called in place of Handle when the
// subflow is gone: it gives back the buffers.
type Input interface{ Release() }

// Post hands an Input to the loop that owns a subflow. It never blocks, may be called from any goroutine, and takes
// over the Input's buffers.
type Post func(in Input)

// EventKind says which fields of an Event count.
type EventKind uint8

// The kinds of Event.
const (
	EventConnected EventKind = iota + 1 // the byte pipe is there: handshake options may be signalled
	EventOption                         // Option: an MPTCP signal arrived (everything but data and DATA_ACK)
	EventData                           // Map, Data: mapped bytes arrived, in the order of the subflow
	EventAck                            // Ack: the peer's carrier has received bytes of ours
	EventDataAck                        // DataAck: the peer acknowledged data
	EventPong                           // Ack.Delay is 0; the round trip of a Probe is Ack.RTT
	EventFin                            // the peer has half-closed the subflow; no more EventData
	EventClosed                         // Err: the subflow is dead; the last event
)

// Event is what a subflow tells its session (Subflow.Poll). One concrete type, no callbacks: no allocation, and the
// session decides when it listens.
type Event struct {
	Kind    EventKind
	Option  wire.Option
	Map     wire.Mapping
	Data    Payload
	Sealed  bool // EventOption, EventData, EventDataAck: the peer's own, no path can have made it
	Ack     Ack
	DataAck DataAck
	Err     error
}

// Ack is a carrier-level acknowledgement.
type Ack struct {
	At      time.Time     // when it was read
	Offset  uint64        // payload bytes of the subflow that the peer has received, all of them
	Arrival uint32        // the peer's clock in µs, modulo 2³², when it read the last of them
	Delay   time.Duration // how long the peer held the acknowledgement back
	RTT     time.Duration // EventPong and carriers that measure it themselves; otherwise 0
}

// DataAck is a connection-level acknowledgement and window (RFC 8684 §3.3.2, §3.3.4).
type DataAck struct {
	Ack    uint64 // next data sequence number expected
	Wide   bool   // 8 bytes were on the wire; false: the lower 4, to be promoted
	Window uint64 // bytes that may be sent above Ack
}

// Status is the life of a subflow as its carrier sees it.
type Status uint8

// The values of Status.
const (
	StatusConnecting Status = iota // no byte pipe yet
	StatusOpen                     // bytes flow both ways
	StatusClosed                   // dead
)

// State is a snapshot of what a carrier knows. Times and rates that the session can measure itself from
// acknowledgements (round trip, delivery rate, in flight) are not here: the path may end TCP in the middle, and the
// kernel's view is a hint only.
type State struct {
	Status      Status
	Room        int            // payload bytes that Send would take now; 0: wait for Writable
	Written     uint64         // payload offset up to which the carrier needs the sender's memory no more
	Unsent      int            // bytes accepted and not yet put on the wire by the local system; a hint
	Cwnd        int            // congestion window of the local system, bytes; 0: not known
	SystemRTT   time.Duration  // the local system's smoothed round trip; 0: not known
	Beyond      int            // bytes that have arrived while a hole in either direction holds up their acknowledgement; a hint
	Retransmits uint64         // segments sent again so far
	Segments    uint64         // segments sent so far
	LastHeard   time.Time      // when anything of the peer was last read
	Local       netip.AddrPort // zero until connected
	Remote      netip.AddrPort
	Congestion  string // congestion control in force
}

// Incoming is a subflow that a peer has opened and whose first options have arrived.
type Incoming struct {
	Options []wire.Option  // of the first record or SYN: MP_CAPABLE or MP_JOIN among them
	Remote  netip.AddrPort // the peer
	Local   netip.AddrPort
	// Attach gives the subflow to the loop that will own it, and starts reading. What was read before is posted first.
	Attach func(post Post) Subflow
	// Authenticated tells the listener that the peer has proved who it is: limits for strangers no longer count it.
	// It may be called more than once and from any goroutine.
	Authenticated func()
	// Reject ends the connection with MP_TCPRST and the reason given.
	Reject func(reason wire.ResetReason)
}

// Subflow is one TCP connection of a session, by whatever carrier. It is declared here and not in mptcp, which uses
// it, because an Acceptor hands it out.
//
// Only the loop that owns it calls it; no method blocks. Signals, acknowledgements and data leave with Flush, in the
// order signals, acknowledgement, data.
type Subflow interface {
	// Handle takes in what a helper goroutine has posted.
	Handle(now time.Time, in Input)
	// Advance acts on timers that are due (Deadline).
	Advance(now time.Time)
	// Deadline is when Advance wants to be called; zero: no need.
	Deadline() time.Time
	// Poll takes the next event; false: none.
	Poll() (Event, bool)

	// Send takes a prefix of b as the next bytes of the subflow, with m.DSN for the first of them, and returns its
	// length; -1 when nothing can be taken now. The mapping that goes out covers exactly what was taken; SSN and Len
	// are set by the carrier; m.Fin counts only if all of b was taken (b may be empty: a lone DATA_FIN).
	// b must not change until State().Written has passed it.
	Send(m wire.Mapping, b []byte) int
	// Signal queues an MPTCP option; options are never dropped and keep their order.
	Signal(o wire.Option)
	// Ack sets what the next acknowledgement says: one slot, the newest wins. With push it leaves with the next Flush;
	// otherwise the carrier's own acknowledgement, due when bytes have arrived, takes it along.
	Ack(a DataAck, push bool)
	// Protect seals the subflow from now on, as docs/protocol.md §1.6 says. Later calls raise p; their keys are the
	// same.
	Protect(k Keys, p Protection)
	// Probe asks the peer for a sign of life: EventPong answers. One probe is outstanding at a time. busy: data may follow
	// soon, on this subflow or on others.
	Probe(now time.Time, busy bool)
	// Flush puts everything that is due on the wire, as one batch. What the system does not take now waits inside.
	Flush(now time.Time) error

	// State is a snapshot.
	State() State
	// Close half-closes the subflow in order, after everything that was sent.
	Close()
	// Abort ends the subflow now; the reason is told to the peer when the wire still takes it. EventClosed follows.
	Abort(reason wire.ResetReason)
}

// Carrier opens subflows.
type Carrier interface {
	// Name is "plain" or "raw".
	Name() string
	// Encrypts reports whether payload is encrypted, and not only authenticated, from Subflow.Protect with at least
	// ProtectSending on. Both ends of a carrier say the same.
	Encrypts() bool
	// Open begins a subflow over p and returns at once; EventConnected or EventClosed follows. Options signalled
	// before that wait.
	Open(p Path, post Post) Subflow
}

// Acceptor yields the subflows that peers open.
type Acceptor interface {
	// Accept waits for the next one whose first options have arrived; net.ErrClosed after Close.
	Accept() (Incoming, error)
	// Encrypts is that of the Carrier at the other end.
	Encrypts() bool
	Close() error
}
