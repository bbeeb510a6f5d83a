package stack

import (
	"time"

	"hawser/mptcp"
	"hawser/proxy/admin"
	"hawser/proxy/tunnel"
	"hawser/transport/uplink"
)

// rawMissing is why "auto" means plain.
const rawMissing = "carrier auto: the raw carrier is not available in this version, plain is used"

// Healthy implements admin.Source: a client is healthy while a session works.
func (c *Client) Healthy() (ok bool, reason string) {
	st := c.pool.Stats()
	if st.State == tunnel.StateEstablished {
		return true, ""
	}
	return false, st.Reason
}

// Status implements admin.Source.
func (c *Client) Status() admin.Status {
	now := time.Now()
	pool := c.pool.Stats()
	sessions, subflows := sessionList(pool.Sessions, nil)
	return admin.Status{
		Version: c.version, Role: admin.RoleClient, Uptime: int64(now.Sub(c.started).Seconds()),
		Uplinks: c.uplinkList(now, subflows), Sessions: sessions, Streams: pool.Streams,
	}
}

// uplinkList joins what the machine says of each uplink, what the board has measured, and what sessions make of it.
func (c *Client) uplinkList(now time.Time, subflows map[string]mptcp.SubflowStats) []admin.Uplink {
	facts := c.board.Facts(now)
	list := []admin.Uplink{}
	for _, u := range c.ways.Uplinks() {
		f := facts[uplink.Key{Uplink: u.Name}]
		best, joined := subflows[u.Name]
		a := admin.Uplink{
			Name: u.Name, Interface: u.Interface, State: admin.UplinkState(u.State), Reason: u.Reason,
			RTT: milliseconds(f.SRTT), Loss: f.Loss(), UpRate: 8 * int64(f.OutRate), DownRate: 8 * int64(f.InRate),
			BytesUp: f.BytesOut, BytesDown: f.BytesIn,
		}
		if addr := u.Address(); addr.IsValid() {
			a.Address = addr.String()
		}
		if u.Usable() {
			a.State, a.Reason = uplinkState(a, best, joined)
		}
		if joined {
			a.Carrier = best.Carrier
		}
		if a.State == admin.UplinkUp && a.Reason == "" && c.carrierIsAuto(u) {
			a.Reason = rawMissing
		}
		list = append(list, a)
	}
	return list
}

func (c *Client) carrierIsAuto(u uplink.Uplink) bool {
	return u.Carrier == "auto" || u.Carrier == "" && c.cfg.Carrier == "auto"
}

// uplinkState says how an uplink that has link and address does, by its best subflow.
func uplinkState(a admin.Uplink, best mptcp.SubflowStats, joined bool) (admin.UplinkState, string) {
	switch {
	case !joined:
		if a.Reason == "" {
			a.Reason = "no session uses it yet"
		}
		return admin.UplinkConnecting, a.Reason
	case best.State == mptcp.StateActive, best.State == mptcp.StateBackup:
		return admin.UplinkUp, best.Reason
	case best.State == mptcp.StateSuspect:
		return admin.UplinkDegraded, best.Reason
	}
	if a.Reason == "" {
		a.Reason = "the server has not answered yet"
	}
	return admin.UplinkConnecting, a.Reason
}

// rank orders subflow states from worst to best.
var rank = map[mptcp.SubflowState]int{
	mptcp.StateDead: 0, mptcp.StateConnecting: 1, mptcp.StateJoining: 2, mptcp.StateSuspect: 3,
	mptcp.StateBackup: 4, mptcp.StateActive: 5,
}

// sessionList translates sessions, and finds the best subflow of each uplink. name gives the uplink's name of a
// subflow; nil: as the connection says.
func sessionList(sessions []tunnel.SessionStats, name func(tunnel.SessionStats, mptcp.SubflowStats) string) ([]admin.Session, map[string]mptcp.SubflowStats) {
	list := make([]admin.Session, 0, len(sessions))
	best := make(map[string]mptcp.SubflowStats)
	for _, s := range sessions {
		a := admin.Session{ID: s.ID, State: admin.SessionState(s.State), Streams: s.Streams}
		if conn, ok := s.Transport.(*mptcp.Conn); ok {
			st := conn.Stats()
			a.Duplicates = st.Duplicates
			for _, sub := range st.Subflows {
				if name != nil {
					sub.Uplink = name(s, sub)
				}
				if b, ok := best[sub.Uplink]; !ok || rank[sub.State] > rank[b.State] {
					best[sub.Uplink] = sub
				}
				a.Subflows = append(a.Subflows, subflow(sub))
			}
		}
		list = append(list, a)
	}
	return list, best
}

func subflow(s mptcp.SubflowStats) admin.Subflow {
	return admin.Subflow{
		ID: s.ID, Uplink: s.Uplink, Carrier: s.Carrier, State: admin.SubflowState(s.State), Reason: s.Reason,
		Backup: s.Backup, RTT: milliseconds(s.RTT), Cwnd: s.Cwnd, InFlight: s.InFlight,
		Retransmits: s.Retransmits, Reinjected: s.Reinjected,
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }
