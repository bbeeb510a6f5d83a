package packet

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// deafen makes a TCP socket drop what it is sent: by a filter; where the kernel keeps that from who lacks CAP_NET_ADMIN, by
// demanding signatures that nobody can make; where it cannot do that either, all but what comes with the top TTL. The proof
// tells how far that went.
func deafen(fd int, v6 bool) error {
	err := dropByFilter(fd)
	if errors.Is(err, unix.EPERM) {
		err = nil
		_ = demandSignature(fd, v6) // no TCP_MD5SIG in this kernel, or no MD5 (FIPS 140): the TTL has to do
	}
	return errors.Join(err, dropBelowTopTTL(fd, v6))
}

// dropByFilter makes a socket drop everything. Some kernels (6.18.44 is one) answer with EPERM: they want CAP_NET_ADMIN for
// a filter on a TCP socket.
func dropByFilter(fd int) error { return attach(fd, dropAll()) }

// demandSignature makes a socket drop every segment that is not signed (RFC 2385 §2: "the receiver … MUST … discard") with a
// key that nobody knows, whoever sends it. It needs no privilege, but Linux 4.13, and a kernel with CONFIG_TCP_MD5SIG.
func demandSignature(fd int, v6 bool) error {
	families := []uint16{unix.AF_INET}
	if v6 {
		families = []uint16{unix.AF_INET6, unix.AF_INET}
	}
	for _, family := range families {
		b := md5sig(family, v6)
		if err := unix.SetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_MD5SIG_EXT, string(b[:])); err != nil {
			return os.NewSyscallError("TCP_MD5SIG_EXT", err)
		}
	}
	return nil
}

// md5sig is a struct tcp_md5sig (linux/tcp.h) with a random key for all addresses of a family; on a socket of IPv6, those of
// IPv4 are mapped.
func md5sig(family uint16, v6 bool) (b [216]byte) {
	const mapped, flags, keyLength, key = 8 + 10, 128, 130, 136 // offsets; the prefix length, at 129, is 0
	binary.NativeEndian.PutUint16(b[:], family)
	if v6 && family == unix.AF_INET {
		binary.NativeEndian.PutUint16(b[:], unix.AF_INET6)
		b[mapped], b[mapped+1] = 0xff, 0xff
	}
	b[flags] = unix.TCP_MD5SIG_FLAG_PREFIX
	binary.NativeEndian.PutUint16(b[keyLength:], unix.TCP_MD5SIG_MAXKEYLEN)
	_, _ = rand.Read(b[key:]) // never fails (crypto/rand)
	return b
}

// dropBelowTopTTL makes a socket drop whatever has passed a router, or was sent with an ordinary TTL (the generalized
// TTL security mechanism, RFC 5082 §3, turned against everybody). It needs no privilege. What it leaves is a neighbour
// on the link who sends with TTL 255: his SYN gets a SYN-ACK that leads nowhere, and any ACK a RST whose sequence number he
// has chosen. Packet.Heard marks what he sends.
func dropBelowTopTTL(fd int, v6 bool) error {
	err := os.NewSyscallError("IP_MINTTL", unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MINTTL, topTTL))
	if v6 {
		err = errors.Join(err, os.NewSyscallError("IPV6_MINHOPCOUNT", unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MINHOPCOUNT, topTTL)))
	}
	return err
}
