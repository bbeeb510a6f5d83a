package admin

import "encoding/json"

// Source is the running program. Its methods are called from any goroutine, once a request, and must not block.
type Source interface {
	// Status is a snapshot of everything there is.
	Status() Status
	// Healthy tells whether the program does its work (it can carry streams, or waits for clients); if not, why.
	Healthy() (ok bool, reason string)
}

// Status is the answer of the status API, GET /api/v1/status. Fields are only ever added. Lists are in a stable order
// and never null.
type Status struct {
	Version  string    `json:"version"`  // of the program
	Role     Role      `json:"role"`     // which end this is
	Uptime   int64     `json:"uptime_s"` // seconds since the start
	Uplinks  []Uplink  `json:"uplinks"`
	Sessions []Session `json:"sessions"`
	Streams  int       `json:"streams"` // open now, over all sessions
}

// Role is which end of the pair a program is.
type Role string

// The values of Role.
const (
	RoleClient Role = "client"
	RoleServer Role = "server"
)

// Uplink is one local way out of the client. "Up" is from client to server, on both ends.
type Uplink struct {
	Name      string      `json:"name"`      // unique
	Interface string      `json:"interface"` // device; empty when bound by address only
	Address   string      `json:"address"`   // source address; empty while there is none
	State     UplinkState `json:"state"`
	Reason    string      `json:"reason"`     // empty only when all is well
	Carrier   string      `json:"carrier"`    // "raw" or "plain"; empty until decided
	RTT       float64     `json:"rtt_ms"`     // smoothed round trip, milliseconds; 0: not measured
	Loss      float64     `json:"loss"`       // 0–1
	UpRate    int64       `json:"up_bps"`     // bit/s over the last second
	DownRate  int64       `json:"down_bps"`   // bit/s over the last second
	BytesUp   uint64      `json:"bytes_up"`   // since the start
	BytesDown uint64      `json:"bytes_down"` // since the start
}

// UplinkState is the life of an uplink.
type UplinkState string

// The values of UplinkState.
const (
	UplinkWaiting    UplinkState = "waiting"    // no device, address or route yet
	UplinkConnecting UplinkState = "connecting" // no subflow has been established yet
	UplinkUp         UplinkState = "up"         // carries data, or could
	UplinkDegraded   UplinkState = "degraded"   // carries data, but not as it should
	UplinkDown       UplinkState = "down"       // the server is not reached
	UplinkDisabled   UplinkState = "disabled"   // not used, by configuration or because it is a tunnel
)

// Session is one MPTCP connection between client and server.
type Session struct {
	ID         string       `json:"id"`
	State      SessionState `json:"state"`
	Streams    int          `json:"streams"`    // open now
	Duplicates uint64       `json:"duplicates"` // payload bytes received more than once, since the session began
	Subflows   []Subflow    `json:"subflows"`
}

// SessionState is the life of a session.
type SessionState string

// The values of SessionState.
const (
	SessionConnecting  SessionState = "connecting"
	SessionEstablished SessionState = "established"
	SessionWaiting     SessionState = "waiting" // no subflow is left; it survives for sessions.survive
	SessionClosing     SessionState = "closing"
)

// Subflow is one TCP connection of a session.
type Subflow struct {
	ID          string       `json:"id"`
	Uplink      string       `json:"uplink"`  // name
	Carrier     string       `json:"carrier"` // "raw" or "plain"
	State       SubflowState `json:"state"`
	Reason      string       `json:"reason"` // empty only when all is well
	Backup      bool         `json:"backup"`
	RTT         float64      `json:"rtt_ms"`      // smoothed round trip, milliseconds; 0: not measured
	Cwnd        int          `json:"cwnd"`        // bytes; 0: not known
	InFlight    int          `json:"in_flight"`   // bytes
	Retransmits uint64       `json:"retransmits"` // segments sent again by this end
	Reinjected  uint64       `json:"reinjected"`  // mappings of this subflow sent again on another
}

// SubflowState is the life of a subflow.
type SubflowState string

// The values of SubflowState.
const (
	SubflowConnecting SubflowState = "connecting"
	SubflowJoining    SubflowState = "joining"
	SubflowActive     SubflowState = "active"
	SubflowBackup     SubflowState = "backup"
	SubflowSuspect    SubflowState = "suspect" // silent with data outstanding
	SubflowDead       SubflowState = "dead"
)

// MarshalJSON writes missing lists as empty ones.
func (s Status) MarshalJSON() ([]byte, error) {
	type fields Status // without this method
	s.Uplinks, s.Sessions = orEmpty(s.Uplinks), orEmpty(s.Sessions)
	return json.Marshal(fields(s))
}

// MarshalJSON writes a missing list as an empty one.
func (s Session) MarshalJSON() ([]byte, error) {
	type fields Session // without this method
	s.Subflows = orEmpty(s.Subflows)
	return json.Marshal(fields(s))
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
