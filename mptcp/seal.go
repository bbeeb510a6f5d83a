package mptcp

import (
	"encoding/binary"
	"math"

	"hawser/transport"
	"hawser/transport/wire"
)

// bind takes in the secret of the session above: see Conn.Bind.
func (k *core) bind(secret []byte, chaCha bool) {
	if k.binding != nil || k.state == connEnded {
		return
	}
	k.binding, k.chaCha = secret, chaCha
	if !k.client {
		return // nothing of the client is sealed before it has read our first sealed record
	}
	for _, s := range k.subs {
		k.protect(s, transport.ProtectInReply)
	}
}

// Where a carrier encrypts, the session above reads what comes after its own handshake without another cipher around it.
// What came unsealed belongs to that handshake, whose cipher finds out what a path has made of it; but a path can also put
// in data that the peer has yet to send. So none of what was not read before the peer was authenticated may have come
// unsealed, and nothing unsealed is taken from then on.

// secret reports whether paths are to be kept from reading and making data.
func (k *core) secret() bool { return k.conn.encrypts && k.binding != nil }

// admitClear notes data that came without a seal; false: it must not be taken any more.
func (k *core) admitClear(m wire.Mapping) bool {
	if k.trusted && k.secret() {
		return false
	}
	end := m.DSN + uint64(m.Len) - k.inDSN // of what lies before the stream, as well as far behind it: more than any
	if m.Fin {
		end = math.MaxUint64 // no handshake is the end of a stream
	}
	k.clear = max(k.clear, end)
	return true
}

// obeys reports whether an option that came without a seal still counts: not on a first subflow whose peer is authenticated,
// where it was read before the carrier knew and waited here. What ends the subflow or has a key of its own does; what would
// outlive the handshake does not even before.
func (k *core) obeys(s *subflow, o wire.Option) bool {
	switch o.(type) {
	case wire.MPTCPRst, wire.MPFastclose:
		return true
	case wire.MPPrio:
		if !k.trusted {
			return !k.conn.encrypts // the client says it after the welcome
		}
	}
	return !s.initial || !k.trusted || !k.secret()
}

// believes reports whether a window that came without a seal may be used up to edge: before the peer is authenticated as
// far as it may be used at all, and after that not where paths are to be kept out. It would outlive the handshake.
func (k *core) believes(edge uint64) bool {
	if k.trusted {
		return !k.secret()
	}
	return !k.conn.encrypts || !wire.DSNLess(k.local.IDSN()+1+strangerBytes, edge)
}

// tampered reports whether data came unsealed that the handshake of the session above has not read. Bytes are counted, for
// sequence numbers are in a circle: to one that is half of it ahead nothing would be behind.
func (k *core) tampered() bool {
	return k.secret() && k.conn.in.taken() < k.clear
}

// protectFirst is called when the peer is authenticated. The welcome is the first thing that a server seals, so that a
// client that has read it hears nothing unsealed any more.
func (k *core) protectFirst(s *subflow) {
	if k.client {
		k.protect(s, transport.ProtectAll)
	} else {
		k.protect(s, transport.ProtectSending)
	}
}

// protect seals a first subflow (docs/protocol.md §1.6).
func (k *core) protect(s *subflow, p transport.Protection) {
	if k.binding == nil || s.carrier == nil || s.phase < phaseActive {
		return
	}
	client, server := k.local, k.remote
	if !k.client {
		client, server = server, client
	}
	s.carrier.Protect(k.keys(
		binary.BigEndian.AppendUint64(nil, uint64(client)), binary.BigEndian.AppendUint64(nil, uint64(server)),
	), p)
}

// nonceStep is odd, so that nonces repeat after 2³² of them, and they lie far from each other.
const nonceStep = 0x9e3779b1

// nonce is for the next subflow, and none before it in this connection has had it. The keys of a joined subflow are made of
// both ends' nonces, and a key that came twice would open what it sealed; random nonces come twice among some ten thousand.
// RFC 8684 §3.2 wants them random against replays, which what comes once is proof against as well.
func (k *core) nonce() uint32 { return k.nonces + uint32(k.nextSub)*nonceStep }

// joinKeys seal a joined subflow.
func (k *core) joinKeys(clientNonce, serverNonce uint32) transport.Keys {
	return k.keys(binary.BigEndian.AppendUint32(nil, clientNonce), binary.BigEndian.AppendUint32(nil, serverNonce))
}

func (k *core) keys(a, b []byte) transport.Keys {
	return transport.Keys{
		Send:    sealKey(k.binding, k.client, a, b),
		Receive: sealKey(k.binding, !k.client, a, b),
		ChaCha:  k.chaCha,
	}
}
