package relay

import "sync/atomic"

// Meter counts what pairs move. One Meter serves all pairs of an end; its fields may be read at any time. Its zero
// value is ready.
type Meter struct {
	Active atomic.Int64  // pairs that run now
	Total  atomic.Uint64 // pairs ever begun
	In     atomic.Uint64 // bytes read from local connections and taken by streams ("up" at the client)
	Out    atomic.Uint64 // bytes read from streams and taken by local connections ("down" at the client)
}

// Begin counts a pair, or whatever else moves bytes for one application connection. End must follow.
func (m *Meter) Begin() {
	m.Active.Add(1)
	m.Total.Add(1)
}

// End counts the end of what Begin began.
func (m *Meter) End() { m.Active.Add(-1) }
