package mptcp

import (
	"fmt"
	"time"

	"hawser/transport"
	"hawser/transport/wire"
)

// mptcpVersion is the version of RFC 8684.
const mptcpVersion = 1

// open begins a subflow of a client over p.
func (k *core) open(now time.Time, p transport.Path, initial bool) {
	s := k.addSubflow(now, p, p.ID, initial)
	if !initial {
		s.expires = now.Add(joinTime)
	}
	s.carrier = k.conn.carrier.Open(p, k.conn.poster(s))
	k.notice(s)
}

// connected begins the handshake on a byte pipe that is there.
func (k *core) connected(now time.Time, s *subflow) {
	if s.phase != phaseConnecting || !k.client {
		return
	}
	s.phase, s.signal = phaseHandshake, now
	if s.initial {
		s.carrier.Signal(wire.MPCapable{Stage: wire.StageSYN, Version: mptcpVersion, SHA256: true})
	} else {
		s.carrier.Signal(wire.MPJoin{
			Stage: wire.StageSYN, Backup: s.backup, AddressID: s.addrID, Token: k.remote.Token(), Nonce: s.nonce,
		})
	}
	k.notice(s)
}

// capable is a step of the first subflow's handshake (RFC 8684 §3.1).
func (k *core) capable(now time.Time, s *subflow, o wire.MPCapable) {
	usable := s.initial && s.phase == phaseHandshake && o.SHA256 && !o.Extensible && o.Version == mptcpVersion
	switch {
	case usable && k.client && o.Stage == wire.StageSYNACK && !k.knowRemote && o.SenderKey != 0:
		k.measure(now, s)
		k.setRemote(now, Key(o.SenderKey))
		k.first = s.path
		s.carrier.Signal(wire.MPCapable{
			Stage: wire.StageACK, Version: mptcpVersion, SHA256: true,
			SenderKey: uint64(k.local), ReceiverKey: o.SenderKey,
		})
		k.dropRivals(now, s)
	case usable && !k.client && o.Stage == wire.StageACK && !k.knowRemote &&
		o.ReceiverKey == uint64(k.local) && o.SenderKey != 0:
		k.measure(now, s)
		k.setRemote(now, Key(o.SenderKey))
		k.activate(now, s)
	case k.client && s.initial && k.knowRemote && s.phase == phaseHandshake:
		k.drop(now, s, wire.ResetUnspecified, "another path was quicker")
	default:
		k.drop(now, s, wire.ResetProtocol, "unexpected "+o.String())
	}
}

// dropRivals ends the other first subflows that raced with the winner.
func (k *core) dropRivals(now time.Time, winner *subflow) {
	for i := 0; i < len(k.subs); {
		if s := k.subs[i]; s != winner {
			k.drop(now, s, wire.ResetUnspecified, "another path was quicker")
			continue
		}
		i++
	}
}

// join is a step of a further subflow's handshake (RFC 8684 §3.2).
func (k *core) join(now time.Time, s *subflow, o wire.MPJoin) {
	if s.initial || s.phase != phaseHandshake {
		k.drop(now, s, wire.ResetProtocol, "unexpected "+o.String())
		return
	}
	switch {
	case k.client && o.Stage == wire.StageSYNACK && !s.verified:
		want := JoinHMAC(k.remote, k.local, k.binding, o.Nonce, s.nonce)
		if !sameMAC(o.HMAC[:8], want[:8]) {
			k.drop(now, s, wire.ResetProtocol, "the server's HMAC is wrong: something on the path answers in its place")
			return
		}
		k.measure(now, s)
		s.verified = true
		s.peerBackup = o.Backup && k.binding == nil // no HMAC covers it: a server of ours says it by MP_PRIO, under the seal
		mac := JoinProof(k.local, k.remote, k.binding, s.nonce, o.Nonce, s.addrID, s.backup)
		answer := wire.MPJoin{Stage: wire.StageACK}
		copy(answer.HMAC[:], mac[:])
		s.carrier.Signal(answer)
		s.carrier.Protect(k.joinKeys(s.nonce, o.Nonce), transport.ProtectAll)
	case !k.client && o.Stage == wire.StageACK:
		want := JoinProof(k.remote, k.local, k.binding, s.peerNonce, s.nonce, s.addrID, s.peerBackup)
		if !sameMAC(o.HMAC[:20], want[:20]) {
			k.drop(now, s, wire.ResetProtocol, "the client's HMAC is wrong")
			return
		}
		k.measure(now, s)
		s.authenticated()
		s.carrier.Protect(k.joinKeys(s.peerNonce, s.nonce), transport.ProtectAll)
		k.replace(now, s)
		k.activate(now, s)
	default:
		k.drop(now, s, wire.ResetProtocol, "unexpected "+o.String())
	}
}

// replace ends older subflows of the same uplink: their client has given them up.
func (k *core) replace(now time.Time, s *subflow) {
	for i := 0; i < len(k.subs); {
		if o := k.subs[i]; o != s && o.addrID == s.addrID && o.phase >= phaseActive {
			k.drop(now, o, wire.ResetUnspecified, "replaced by a new subflow of the same uplink")
			continue
		}
		i++
	}
}

// accept takes over a subflow that the peer has opened with MP_CAPABLE or MP_JOIN.
func (k *core) accept(now time.Time, inc transport.Incoming, o wire.Option) {
	join, isJoin := o.(wire.MPJoin)
	switch {
	case isJoin && !k.trusted, k.state == connEnded, k.state == ConnClosing && k.finished():
		inc.Reject(wire.ResetProhibited)
		return
	case !k.makeRoom(now, inc.Remote.Addr()):
		inc.Reject(wire.ResetResources)
		return
	}
	path := transport.Path{Uplink: inc.Remote.Addr().String(), Local: inc.Local.Addr(), Remote: inc.Remote, Carrier: k.conn.carrierName}
	s := k.addSubflow(now, path, join.AddressID, !isJoin)
	s.phase, s.signal, s.authenticated = phaseHandshake, now, inc.Authenticated
	s.peerNonce, s.peerBackup = join.Nonce, join.Backup
	s.carrier = inc.Attach(k.conn.poster(s))
	if !isJoin {
		s.carrier.Signal(wire.MPCapable{
			Stage: wire.StageSYNACK, Version: mptcpVersion, SHA256: true, SenderKey: uint64(k.local),
		})
		return
	}
	mac := JoinHMAC(k.local, k.remote, k.binding, s.nonce, join.Nonce)
	answer := wire.MPJoin{Stage: wire.StageSYNACK, Nonce: s.nonce}
	copy(answer.HMAC[:8], mac[:])
	s.carrier.Signal(answer)
}

// established ends a client's handshake: the first acknowledgement on a subflow is the server's proof that it has
// accepted the last message (RFC 8684 §3.1, §3.2).
func (k *core) established(now time.Time, s *subflow) {
	if s.phase != phaseHandshake || !k.client {
		return
	}
	if s.initial && k.knowRemote || s.verified {
		k.activate(now, s)
	}
}

// activate puts a subflow to use.
func (k *core) activate(now time.Time, s *subflow) {
	s.phase, s.reason, s.progress, s.expires = phaseActive, "", now, time.Time{}
	s.known = k.trusted
	if k.state == ConnConnecting {
		k.state, k.headAt = ConnEstablished, now
		k.conn.becameReady(s)
	}
	k.checkOrphan(now)
	k.acknowledgeOn(s)
	if k.paths != nil {
		k.paths.worked(s)
	}
	k.addrs.announceAgain()
	k.notice(s)
}

// acknowledgeOn tells DATA_ACK and window on a new subflow at once: on a server this is the proof that the peer
// waits for.
func (k *core) acknowledgeOn(s *subflow) {
	s.carrier.Ack(transport.DataAck{
		Ack: k.ackNumber(), Wide: true, Window: k.window.edge - k.recv.next,
	}, true)
}

// measure takes the handshake's round trip as the first sample.
func (k *core) measure(now time.Time, s *subflow) {
	rtt := now.Sub(s.signal)
	s.rtt.add(rtt)
	s.entry.RoundTrip(now, rtt)
	s.signal = now
}

// authenticate is the end of the time in which the peer is a stranger: see Conn.Authenticate.
func (k *core) authenticate(now time.Time, group string, initial uint8, survive time.Duration) {
	if k.trusted || k.state == connEnded {
		return
	}
	if k.tampered() {
		k.end(now, ErrTampered, true)
		return
	}
	k.trusted, k.expires = true, time.Time{}
	if k.survive > 0 && survive > 0 {
		k.survive = min(k.survive, survive)
	}
	if !k.client {
		k.group = group
	}
	for _, s := range k.subs {
		s.known = s.phase >= phaseActive
		if s.authenticated != nil {
			s.authenticated()
		}
		if !k.client {
			s.addrID = initial
		}
		k.watchBoard(s)
		k.protectFirst(s)
		if k.client && s.backup {
			s.carrier.Signal(wire.MPPrio{Backup: true}) // MP_CAPABLE has no B flag
		}
		if k.paths != nil && s.phase == phaseActive {
			k.paths.authenticated(s)
		}
	}
	k.window.grow(k.cfg.Budget, startWindow, k.cfg.Window)
	k.addrs.announce(k)
	k.checkOrphan(now)
}

// expire ends handshakes that have taken too long.
func (k *core) expire(now time.Time) {
	if !k.expires.IsZero() && !now.Before(k.expires) {
		k.end(now, fmt.Errorf("%w: %s have passed", ErrStranger, handshakeTime), true)
		return
	}
	for i := 0; i < len(k.subs); {
		s := k.subs[i]
		if s.phase < phaseActive && !now.Before(s.expires) {
			k.drop(now, s, wire.ResetUnspecified, "no answer to the handshake in time")
			continue
		}
		i++
	}
}
