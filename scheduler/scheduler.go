package scheduler

import (
	"fmt"
	"time"
)

// Path is what a scheduler knows of a subflow: plain values that the session's loop copies from the subflow, from the
// board of uplink facts, and from the connection.
type Path struct {
	ID       int           // the caller's name for it; what Pick appends
	Room     int           // bytes that the carrier would take now; 0: it cannot take any
	Credit   int           // bytes that may still be put in flight on the uplink, all sessions together; ≤ 0: none
	SRTT     time.Duration // smoothed round trip; 0: not measured yet
	RTTVar   time.Duration // its variation (RFC 6298)
	MinRTT   time.Duration // smallest round trip of the uplink in the last seconds; 0: not measured yet
	Rate     int           // delivery rate of the uplink, bytes/s; 0: not measured yet
	Settled  bool          // Rate has stopped growing
	InFlight int           // bytes in flight on the uplink, all sessions together, Unsent among them
	Unsent   int           // bytes that wait in the local system; a hint
	Weight   int           // configured share, for "weighted"; when no path has one, the rates are the shares
	Backup   bool          // used only when no regular path is usable (RFC 8684 §3.3.8)
	Suspect  bool          // silent with data outstanding: takes no new data, unless all paths are suspect
}

// Chunk is what is to be sent next.
type Chunk struct {
	Size     int  // bytes
	Backlog  int  // bytes that wait at the session, the chunk included; with Reinject those to be sent again
	Window   int  // bytes that the peer's connection-level window still allows, the chunk included
	Loaded   bool // the application keeps the session's buffer full: a bulk transfer, no tail
	Reinject bool // sent before on another path: exclude that with Avoid. It needs no window
	Avoid    int  // ID of a path not to be used, -1: none
}

// Scheduler picks paths. An implementation may keep state between calls (a turn, hysteresis) but reads no clock. It
// belongs to one session's loop. A caller that got no path asks again whenever paths or data have changed; with credit
// that other sessions hold, that may be without an event of its own.
type Scheduler interface {
	// Pick appends to dst the IDs of the paths that should carry c now: none means wait, several means a copy on each.
	Pick(now time.Time, paths []Path, c Chunk, dst []int) []int
}

// Names lists the schedulers that New knows, the default first.
func Names() []string {
	return []string{"auto", "minrtt", "roundrobin", "weighted", "blest", "redundant"}
}

// New makes the scheduler with the name given; empty means "auto".
func New(name string) (Scheduler, error) {
	switch name {
	case "", "auto":
		return &auto{}, nil
	case "minrtt":
		return minRTT{}, nil
	case "roundrobin":
		return &roundRobin{}, nil
	case "weighted":
		return &weighted{}, nil
	case "blest":
		return &blest{}, nil
	case "redundant":
		return redundant{}, nil
	}
	return nil, fmt.Errorf("scheduler: unknown name %q, use one of %v", name, Names())
}
