package tcp

import (
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"time"

	"hawser/transport/wire"
)

// purpose keeps the uses of one secret apart.
type purpose byte

const (
	forISN purpose = iota + 1
	forTimestamp
	forCookie
	forSYN
	forRefusal
)

// keyed is the first 64 bits of SHA-256 over secret, purpose, connection and extra: a keyed hash of fixed-length input.
func keyed(secret *[32]byte, p purpose, local, remote netip.AddrPort, extra uint64) uint64 {
	var b [32 + 1 + 2*18 + 8]byte
	copy(b[:], secret[:])
	b[32] = byte(p)
	l, r := local.Addr().As16(), remote.Addr().As16()
	copy(b[33:], l[:])
	copy(b[49:], r[:])
	binary.BigEndian.PutUint16(b[65:], local.Port())
	binary.BigEndian.PutUint16(b[67:], remote.Port())
	binary.BigEndian.PutUint64(b[69:], extra)
	h := sha256.Sum256(b[:])
	return binary.BigEndian.Uint64(h[:])
}

// initialSeq is ISN = M + F(localip, localport, remoteip, remoteport, secretkey), with M the 4 µs timer (RFC 6528 §3).
func initialSeq(secret *[32]byte, local, remote netip.AddrPort, now time.Time) wire.Seq {
	return wire.Seq(uint32(now.UnixMicro()/4) + uint32(keyed(secret, forISN, local, remote, 0)))
}

// timestampOffset is what a connection adds to the clock of its timestamps, so that they do not tell how long the host
// is up, and go on from one connection of a pair of addresses to the next (RFC 7323 §7.1, RFC 6191).
func timestampOffset(secret *[32]byte, local, remote netip.AddrPort) uint32 {
	return uint32(keyed(secret, forTimestamp, local, remote, 0))
}
