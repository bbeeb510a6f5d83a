package transport

import (
	"fmt"
	"net/netip"
)

// Path is one way to the peer: an uplink, the address by which it is left, and an address of the peer.
type Path struct {
	Uplink    string         // the uplink's name in configuration, logs and metrics
	ID        uint8          // address id of the uplink (RFC 8684 §3.2), 1–255, the same for the life of the process
	Interface string         // device to bind to; empty: none
	Local     netip.Addr     // source address to bind to; invalid: the system's choice
	Remote    netip.AddrPort // the peer
	Backup    bool           // used only when no regular path works (RFC 8684 §3.3.8)
	Carrier   string         // "plain" or "raw"
}

// String gives the path as a log shows it: "dsl 192.0.2.7→198.51.100.1:7444".
func (p Path) String() string {
	local := p.Interface
	if p.Local.IsValid() {
		local = p.Local.String()
	}
	return fmt.Sprintf("%s %s→%s", p.Uplink, local, p.Remote)
}
