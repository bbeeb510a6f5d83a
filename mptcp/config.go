package mptcp

import (
	"time"

	"hawser/scheduler"
	"hawser/transport"
	"hawser/transport/uplink"
)

// Limits of a connection.
const (
	// maxSubflows bounds the subflows of one connection, half-open ones included.
	maxSubflows = 32
	// strangerBytes is what a peer may send before the connection is authenticated, and what it is sent.
	strangerBytes = 64 << 10
	// DefaultWindow is the largest receive window of a connection, bytes.
	DefaultWindow = 32 << 20
	// DefaultSurvive is how long a connection outlives its last subflow.
	DefaultSurvive = 60 * time.Second
	// handshakeTime bounds every handshake: MP_CAPABLE, MP_JOIN, and on a server the time until Authenticate.
	handshakeTime = 10 * time.Second
	// joinTime bounds a client's try to join, so that the next one comes soon.
	joinTime = 4 * time.Second
)

// Config is what the connections of a Dialer or a Listener have in common. The zero value works.
type Config struct {
	Scheduler string        // a name of scheduler.Names; empty: auto
	Board     *uplink.Board // shared by all connections of the process; nil: one of its own
	Budget    *Budget       // of send and receive memory; nil: no limit
	Window    int           // largest receive window, bytes; 0: DefaultWindow
	Survive   time.Duration // largest time to outlive the last subflow; 0: DefaultSurvive, negative: none
	Announce  []AnnouncedAddress
	// Observe is told what happens to subflows, for logs and metrics. It is called by the loop and must not block.
	Observe func(Notice)

	off features
}

// features switches parts off, for tests that show what a part is good for. The zero value has everything on.
type features struct {
	reinject   bool // what a lost or silent subflow carries is sent again on the others
	doubt      bool // new data shares the paths with it as long as it may have arrived
	headOfLine bool // tier 1: the oldest bytes are sent again when they hold everything up
	suspect    bool // tier 2: a silent path's bytes are sent again on the others
	dead       bool // tier 3: a path that stays silent is given up and dialled anew
	rejoin     bool // a lost path is joined again
	board      bool // in-flight caps and suspicion are shared by all connections
	cap        bool // in flight is capped
	beyond     bool // what has arrived beyond a hole in a subflow's byte stream is in flight no more
}

func (c Config) withDefaults() Config {
	if c.Board == nil {
		c.Board = uplink.NewBoard()
	}
	if c.Window == 0 {
		c.Window = DefaultWindow
	}
	if c.Survive == 0 {
		c.Survive = DefaultSurvive
	}
	if c.Observe == nil {
		c.Observe = func(Notice) {}
	}
	return c
}

func (c Config) newScheduler() (scheduler.Scheduler, error) { return scheduler.New(c.Scheduler) }

// Notice is one thing that happened to a subflow.
type Notice struct {
	Conn    string // Conn.ID
	Subflow string
	Path    transport.Path
	State   SubflowState
	Reason  string // empty when all is well
	Known   bool   // the peer has proved on this subflow who it is; until then it may be anybody
}

// SubflowState is the state of a subflow as the status API tells it.
type SubflowState string

// The states of a subflow.
const (
	StateConnecting SubflowState = "connecting" // the carrier dials
	StateJoining    SubflowState = "joining"    // MP_CAPABLE or MP_JOIN is under way
	StateActive     SubflowState = "active"
	StateBackup     SubflowState = "backup"  // works, and waits until no regular one does
	StateSuspect    SubflowState = "suspect" // silent with data outstanding: no new data
	StateDead       SubflowState = "dead"
)
