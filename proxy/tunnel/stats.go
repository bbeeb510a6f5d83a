package tunnel

import "time"

// State is the life of a session as the status API shows it.
type State string

// The values of State.
const (
	StateConnecting  State = "connecting"  // dialling, TLS, hello and welcome
	StateEstablished State = "established" // streams can be opened
	StateWaiting     State = "waiting"     // no uplink works
	StateClosing     State = "closing"     // no new streams; ends with its last one
)

// SessionStats is a snapshot of one session.
type SessionStats struct {
	ID        string
	Client    string // on a server: the client's name
	State     State
	Reason    string // empty when all is well
	Streams   int
	Bytes     int64         // application data moved, both ways
	Rate      int           // bytes in the last second, both ways
	Age       time.Duration // since it was established
	Transport Transport     // nil while it is dialled
}

// PoolStats is a snapshot of a client's pool.
type PoolStats struct {
	Sessions []SessionStats // oldest first
	Streams  int
	State    State  // established: a session works; waiting: no uplink works, or rejected; connecting; closing
	Reason   string // why there is no session that works; empty when all is well
	Rejected bool   // the server has turned this client away, or proved another key; it is tried again slowly
}

// ServerStats is a snapshot of a server.
type ServerStats struct {
	Sessions   []SessionStats // oldest first
	Streams    int
	Handshakes int    // peers that have not yet proved who they are
	Accepted   uint64 // sessions established so far
	Refused    uint64 // clients turned away so far
	Failed     uint64 // handshakes that came to nothing so far
}
