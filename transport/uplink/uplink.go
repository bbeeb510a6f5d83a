package uplink

import (
	"net/netip"
	"slices"
)

// Config names one uplink. Interface or Source must be set; with both, the address must be on that interface.
type Config struct {
	Name      string     // in logs, metrics and paths; empty: the interface, else the source address
	Interface string     // device, by its name or one of its alternative names; it need not exist yet
	Source    netip.Addr // address; the device that owns it is found and followed. Invalid: any of the interface
	Backup    bool       // used only when no regular path works (RFC 8684 §3.3.8)
	Carrier   string     // "auto", "raw", "plain"; empty: as the whole client
}

// name is the uplink's name with the default applied.
func (c Config) name() string {
	switch {
	case c.Name != "":
		return c.Name
	case c.Interface != "":
		return c.Interface
	default:
		return c.Source.String()
	}
}

// State is what is known of an uplink, in the words of the status API.
type State string

// The states. Set knows waiting, up, down and disabled; Targets adds connecting; degraded takes the facts of sessions.
const (
	StateWaiting    State = "waiting"    // something has to appear first: interface, address, route
	StateConnecting State = "connecting" // link and address are there; no server address has authenticated yet
	StateUp         State = "up"         // link and address are there (Set); the server has been reached (Targets)
	StateDegraded   State = "degraded"   // works, worse than it should
	StateDown       State = "down"       // the link is down
	StateDisabled   State = "disabled"   // not used on purpose
)

// Uplink is a snapshot of one local way out.
type Uplink struct {
	Name      string       // as configured, or the interface's
	ID        uint8        // address id (RFC 8684 §3.2), 1–255, the same for the life of the process
	Interface string       // device to bind to; empty: none is known, or none has to be bound (loopback)
	Index     int          // its index in the system; 0 where Interface is empty
	V4        []netip.Addr // IPv4 source addresses, best first, also while the link is down
	V6        []netip.Addr // IPv6 likewise; link-local ones are not counted
	Backup    bool         // as configured
	Carrier   string       // as configured
	State     State
	Reason    string // why it is not up; empty only with StateUp
}

// Usable says that link and address are there, so that a connection may be tried.
func (u Uplink) Usable() bool { return u.State == StateUp || u.State == StateConnecting }

// Address is the best source address, IPv4 first, for status and logs; invalid when there is none.
func (u Uplink) Address() netip.Addr {
	if len(u.V4) > 0 {
		return u.V4[0]
	}
	return first(u.V6)
}

// equal says whether two snapshots of an uplink are the same.
func (u Uplink) equal(v Uplink) bool {
	return u.Name == v.Name && u.ID == v.ID && u.Interface == v.Interface && u.Index == v.Index &&
		u.Backup == v.Backup && u.Carrier == v.Carrier &&
		u.State == v.State && u.Reason == v.Reason && u.sameAddresses(v)
}

// sameAddresses says whether two snapshots offer the same source addresses in the same order.
func (u Uplink) sameAddresses(v Uplink) bool {
	return slices.Equal(u.V4, v.V4) && slices.Equal(u.V6, v.V6)
}

// changes lists the uplinks that are new, or differ from what they were.
func changes(old, now []Uplink) []Uplink {
	var out []Uplink
	for _, u := range now {
		if i := slices.IndexFunc(old, func(o Uplink) bool { return o.ID == u.ID && o.Name == u.Name }); i < 0 || !old[i].equal(u) {
			out = append(out, u)
		}
	}
	return out
}
