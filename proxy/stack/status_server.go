package stack

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"hawser/mptcp"
	"hawser/proxy/admin"
	"hawser/proxy/tunnel"
)

// Healthy implements admin.Source: a server is healthy while it listens.
func (s *Server) Healthy() (ok bool, reason string) { return true, "" }

// Status implements admin.Source. A server's uplinks are those of its clients: "home/2" is the uplink with address id
// 2 of the client home.
func (s *Server) Status() admin.Status {
	now := time.Now()
	st := s.tunnel.Stats()
	sessions, best := sessionList(st.Sessions, clientUplink)
	return admin.Status{
		Version: s.version, Role: admin.RoleServer, Uptime: int64(now.Sub(s.started).Seconds()),
		Uplinks: s.uplinkList(now, st.Sessions, best), Sessions: sessions, Streams: st.Streams,
	}
}

func clientUplink(t tunnel.SessionStats, sub mptcp.SubflowStats) string {
	return fmt.Sprintf("%s/%d", t.Client, sub.AddressID)
}

// uplinkList makes one line of each client's uplink; what several processes of one client measure is added up.
func (s *Server) uplinkList(now time.Time, sessions []tunnel.SessionStats, best map[string]mptcp.SubflowStats) []admin.Uplink {
	names := make(map[string]string) // the board's peer → client
	for _, t := range sessions {
		if conn, ok := t.Transport.(*mptcp.Conn); ok {
			names[conn.Group()] = t.Client
		}
	}
	lines := make(map[string]*admin.Uplink)
	for key, f := range s.board.Facts(now) {
		client, ok := names[key.Peer]
		if !ok {
			continue
		}
		name := client + "/" + key.Uplink
		a := lines[name]
		if a == nil {
			a = &admin.Uplink{Name: name}
			lines[name] = a
		}
		a.RTT, a.Loss = max(a.RTT, milliseconds(f.SRTT)), max(a.Loss, f.Loss())
		a.UpRate, a.DownRate = a.UpRate+8*int64(f.InRate), a.DownRate+8*int64(f.OutRate)
		a.BytesUp, a.BytesDown = a.BytesUp+f.BytesIn, a.BytesDown+f.BytesOut
	}
	list := make([]admin.Uplink, 0, len(lines))
	for name, a := range lines {
		sub, joined := best[name]
		a.Carrier, a.Address = sub.Carrier, sub.Remote
		a.State, a.Reason = uplinkState(*a, sub, joined)
		if !joined {
			a.State, a.Reason = admin.UplinkDown, "the client has no subflow over it now"
		}
		list = append(list, *a)
	}
	slices.SortFunc(list, func(a, b admin.Uplink) int { return strings.Compare(a.Name, b.Name) })
	return list
}
