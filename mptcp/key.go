package mptcp

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"net/netip"
)

// Key is one end's key of a connection: 64 bits, never zero, sent in clear (RFC 8684 §3.1).
type Key uint64

// NewKey makes a random key. A listener must also see to it that its Token is not in use (RFC 8684 §3.1).
func NewKey() Key {
	var b [8]byte
	for {
		rand.Read(b[:]) // never fails; the program ends when the system has no randomness
		if k := Key(binary.BigEndian.Uint64(b[:])); k != 0 {
			return k
		}
	}
}

// digest is SHA-256 of the key, whose two ends are the token and the initial data sequence number.
func (k Key) digest() [sha256.Size]byte {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(k))
	return sha256.Sum256(b[:])
}

// Token names the connection in MP_JOIN: the most significant 32 bits of the key's hash (RFC 8684 §3.2).
func (k Key) Token() uint32 {
	d := k.digest()
	return binary.BigEndian.Uint32(d[:])
}

// IDSN is the initial data sequence number of the key's owner: the least significant 64 bits of the hash. The
// handshake takes it; the first byte of data is IDSN()+1 (RFC 8684 §3.1).
func (k Key) IDSN() uint64 {
	d := k.digest()
	return binary.BigEndian.Uint64(d[len(d)-8:])
}

// The functions below take a binding: the secret that two Hawser ends export from the TLS session inside the
// connection (docs/protocol.md §1.3), because RFC 8684's keys cross the first path in clear. A nil binding gives
// RFC 8684's own values, for the handshake with any other peer.

// JoinHMAC is the HMAC that own's owner sends in MP_JOIN: the left 64 bits in the SYN/ACK, the left 160 bits in the
// ACK (RFC 8684 §3.2). Each end puts its own key and nonce first, whichever of them opened the subflow.
func JoinHMAC(own, peer Key, binding []byte, ownNonce, peerNonce uint32) [32]byte {
	return keyedSum(own, peer, binding, nonces(ownNonce, peerNonce))
}

func nonces(own, peer uint32) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, own), peer)
}

// JoinProof is what a client proves in the ACK of a join: with a binding also what its SYN said of the uplink, the address
// id and whether it is a backup, which RFC 8684 leaves to whoever is on the path.
func JoinProof(own, peer Key, binding []byte, ownNonce, peerNonce uint32, id uint8, backup bool) [32]byte {
	if binding == nil {
		return JoinHMAC(own, peer, nil, ownNonce, peerNonce)
	}
	var b byte
	if backup {
		b = 1
	}
	return keyedSum(own, peer, binding, append(nonces(ownNonce, peerNonce), id, b))
}

// AddAddrHMAC is the HMAC that own's owner sends in ADD_ADDR: the right 64 bits of the hash over address id, address
// and port, which is 0 when the option has none (RFC 8684 §3.4.1).
func AddAddrHMAC(own, peer Key, binding []byte, id uint8, addr netip.Addr, port uint16) [8]byte {
	msg := append([]byte{id}, addr.AsSlice()...)
	msg = binary.BigEndian.AppendUint16(msg, port)
	sum := keyedSum(own, peer, binding, msg)
	return [8]byte(sum[len(sum)-8:])
}

// FastcloseKey is what MP_FASTCLOSE must carry to be obeyed by the owner of receiver: that key (RFC 8684 §3.5), or
// with a binding 64 bits that only the two ends can compute.
func FastcloseKey(binding []byte, receiver Key) uint64 {
	if binding == nil {
		return uint64(receiver)
	}
	msg := binary.BigEndian.AppendUint64([]byte("fastclose"), uint64(receiver))
	sum := hmacSHA256(binding, msg)
	return binary.BigEndian.Uint64(sum[:])
}

// sealKey is the key of what one end sends on a subflow (docs/protocol.md §1.6): a and b are the two ends' keys on the first
// subflow and their nonces on a joined one, the client's first, as they were on the wire.
func sealKey(binding []byte, client bool, a, b []byte) [32]byte {
	end := byte(1)
	if client {
		end = 0
	}
	msg := append([]byte("seal"), end)
	return hmacSHA256(binding, append(append(msg, a...), b...))
}

// keyedSum is HMAC-SHA256 of msg under own ‖ peer ‖ binding.
func keyedSum(own, peer Key, binding, msg []byte) [32]byte {
	key := make([]byte, 0, 16+len(binding))
	key = binary.BigEndian.AppendUint64(key, uint64(own))
	key = binary.BigEndian.AppendUint64(key, uint64(peer))
	return hmacSHA256(append(key, binding...), msg)
}

func hmacSHA256(key, msg []byte) (sum [32]byte) {
	h := hmac.New(sha256.New, key)
	h.Write(msg)
	h.Sum(sum[:0])
	return sum
}

// sameMAC compares a received HMAC with the one expected, both cut to what the option carries, in constant time. Two
// empty ones are not the same: nothing proves nothing.
func sameMAC(got, want []byte) bool {
	return len(want) > 0 && hmac.Equal(got, want)
}

// sameFastclose compares the key of a received MP_FASTCLOSE with FastcloseKey's, in constant time.
func sameFastclose(got, want uint64) bool {
	var a, b [8]byte
	binary.BigEndian.PutUint64(a[:], got)
	binary.BigEndian.PutUint64(b[:], want)
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
