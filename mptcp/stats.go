package mptcp

import (
	"fmt"
	"sort"
	"time"
)

// Stats is a snapshot of a connection.
type Stats struct {
	ID         string
	State      ConnState
	Subflows   []SubflowStats
	Duplicates uint64 // payload bytes received more than once
}

// SubflowStats is a snapshot of one subflow.
type SubflowStats struct {
	ID          string
	Uplink      string // on a server: the client's address
	AddressID   uint8
	Carrier     string
	State       SubflowState
	Reason      string // empty when all is well
	Backup      bool
	RTT         time.Duration
	Cwnd        int // bytes; 0: not known
	InFlight    int // bytes
	Retransmits uint64
	Reinjected  uint64 // ranges sent again on other subflows
	Congestion  string
	Local       string
	Remote      string
	BytesOut    uint64 // payload
	BytesIn     uint64 // payload
}

// Stats asks the loop for a snapshot. A connection that has ended says no more than that.
func (c *Conn) Stats() Stats {
	var st Stats
	if c.settled(func(k *core, _ time.Time) { st = k.stats() }) {
		return st
	}
	return Stats{ID: c.id, State: ConnClosing}
}

func (k *core) stats() Stats {
	st := Stats{ID: k.conn.id, State: k.state, Duplicates: k.recv.dup}
	if !k.fin.closed.IsZero() {
		st.State = ConnClosing
	}
	for _, s := range k.subs {
		c := s.carrier.State()
		st.Subflows = append(st.Subflows, SubflowStats{
			ID: fmt.Sprint(s.id), Uplink: s.path.Uplink, AddressID: s.addrID, Carrier: k.conn.carrierName,
			State: s.state(), Reason: s.reason, Backup: s.isBackup(), RTT: s.rtt.srtt, Cwnd: c.Cwnd,
			InFlight: s.inFlight, Retransmits: c.Retransmits, Reinjected: s.reinjected, Congestion: c.Congestion,
			Local: c.Local.String(), Remote: c.Remote.String(), BytesOut: s.sent, BytesIn: s.bytesIn,
		})
	}
	sort.Slice(st.Subflows, func(i, j int) bool { return st.Subflows[i].ID < st.Subflows[j].ID })
	return st
}
