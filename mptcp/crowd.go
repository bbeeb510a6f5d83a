package mptcp

import (
	"net/netip"
	"time"

	"hawser/transport/wire"
)

// makeRoom lets one more join begin on a server; false: as many subflows as a connection may have are established.
//
// The token crosses the first path in clear, so whoever saw it can begin joins that never end. They must not keep out
// the client's own: the newcomer comes in and an older one goes, which an honest client, done within a round trip or
// two, hardly ever is. It is the oldest of the source that has most.
func (k *core) makeRoom(now time.Time, newcomer netip.Addr) bool {
	if len(k.subs) < maxSubflows {
		return true
	}
	begun := map[netip.Prefix]int{wire.SourceOf(newcomer): 1}
	var victim *subflow
	for _, s := range k.subs { // the oldest first
		if s.joining() {
			begun[wire.SourceOf(s.path.Remote.Addr())]++
		}
	}
	for _, s := range k.subs {
		if s.joining() && (victim == nil ||
			begun[wire.SourceOf(s.path.Remote.Addr())] > begun[wire.SourceOf(victim.path.Remote.Addr())]) {
			victim = s
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
