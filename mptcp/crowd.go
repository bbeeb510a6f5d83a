package mptcp

import (
	"net/netip"
	"time"

	"hawser/transport/wire"
)

// fairJoins is how many joins may be under way from one source before it is taken for a flood: each uplink of a home may
// come from the same address.
const fairJoins = 8

// makeRoom lets one more join begin on a server; false: as many subflows as a connection may have are established.
//
// The token crosses the first path in clear, so whoever saw it can begin joins that never end. They must not keep out
// the client's own: the newcomer comes in and an older one goes, which an honest client, done within a round trip or
// two, hardly ever is. It is the oldest of the source that has most, or, where no source has begun more than a client's
// uplinks behind one address may, the oldest of all.
func (k *core) makeRoom(now time.Time, newcomer netip.Addr) bool {
	if len(k.subs) < maxSubflows {
		return true
	}
	begun := map[netip.Prefix]int{wire.SourceOf(newcomer): 1}
	for _, s := range k.subs {
		if s.joining() {
			begun[wire.SourceOf(s.path.Remote.Addr())]++
		}
	}
	var victim *subflow
	most := 0
	for _, s := range k.subs { // the oldest first
		if n := max(fairJoins, begun[wire.SourceOf(s.path.Remote.Addr())]); s.joining() && n > most {
			victim, most = s, n
		}
	}
	if victim == nil {
		return false
	}
	k.drop(now, victim, wire.ResetResources, "gave way to a newer join")
	return true
}

// joining reports whether the peer, by a join, has yet to prove who it is.
func (s *subflow) joining() bool { return !s.initial && s.phase == phaseHandshake }
