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

func (m *Meter) begin() {
	m.Active.Add(1)
	m.Total.Add(1)
}

func (m *Meter) end() { m.Active.Add(-1) }
