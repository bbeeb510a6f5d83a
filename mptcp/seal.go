package mptcp

import (
	"encoding/binary"

	"hawser/transport"
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
