package mptcp

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"testing"
)

func TestTokenAndInitialDataSequenceNumber(t *testing.T) {
	for _, c := range []struct {
		key   Key
		token uint32
		idsn  uint64
	}{
		{0x0000000000000001, 0xcd266215, 0x19ec509083d00a50},
		{0x0102030405060708, 0x66840dda, 0xf5a101d3d29d6f72},
		{0x8877665544332211, 0x804d562d, 0x2844f958dbd74c17},
		{0xffffffffffffffff, 0x12a3ae44, 0x57fb595bbbacf0ca},
		{0xac1f52e0ae4c81ac, 0xf96ff490, 0xcd87ca4b02650382}, // a Linux kernel's
		{0xd2685db4f0b69eef, 0x038f83ad, 0x413cd00ade9f5457}, // a Linux kernel's
	} {
		if got := c.key.Token(); got != c.token {
			t.Errorf("token of %x: got %08x, want %08x", uint64(c.key), got, c.token)
		}
		if got := c.key.IDSN(); got != c.idsn {
			t.Errorf("IDSN of %x: got %016x, want %016x", uint64(c.key), got, c.idsn)
		}
	}
}

func TestNewKeysAreNeitherZeroNorTheSame(t *testing.T) {
	seen := map[Key]bool{0: true}
	for range 1000 {
		k := NewKey()
		if seen[k] {
			t.Fatalf("key %x came before, or is zero", uint64(k))
		}
		seen[k] = true
	}
}

// A opens the subflow with nonce RA, B answers with RB.
func TestJoinHMAC(t *testing.T) {
	for _, c := range []struct {
		keyA, keyB Key
		ra, rb     uint32
		synAck     string // HMAC-B, left 64 bits
		ack        string // HMAC-A, left 160 bits
	}{
		{0x0102030405060708, 0x8877665544332211, 0x00000001, 0x00000002,
			"5896cda7049df1e9", "b28cbde8680498d1365370a8199c90395d86925d"},
		{0x0102030405060708, 0x8877665544332211, 0xdeadbeef, 0xcafebabe,
			"61caef684eb3bc91", "d2eec5028f1de0b78b712cb629dbb3ee2b0ded68"},
		{0xffffffffffffffff, 0x0000000000000001, 0xffffffff, 0x00000000,
			"91266aeba170e65d", "52c31c5b236510746ea2f5c959a404f40a473a78"},
		{0xac1f52e0ae4c81ac, 0xd2685db4f0b69eef, 0xb26afa7a, 0xe5b13985, // a Linux kernel's
			"329e6c798a03988a", "eb4a641b492af8904517ac6e464d133d2e7ac520"},
		{0xac1f52e0ae4c81ac, 0xd2685db4f0b69eef, 0xf473d9f3, 0x77c75b52, // a Linux kernel's
			"5d590ea273ffd3eb", "01c5559990ecb03ae224046b8a65fe63923017ab"},
	} {
		b := JoinHMAC(c.keyB, c.keyA, nil, c.rb, c.ra)
		if got := hex.EncodeToString(b[:8]); got != c.synAck {
			t.Errorf("HMAC-B of nonces %x, %x: got %s, want %s", c.ra, c.rb, got, c.synAck)
		}
		a := JoinHMAC(c.keyA, c.keyB, nil, c.ra, c.rb)
		if got := hex.EncodeToString(a[:20]); got != c.ack {
			t.Errorf("HMAC-A of nonces %x, %x: got %s, want %s", c.ra, c.rb, got, c.ack)
		}
	}
}

func TestJoinHMACInFull(t *testing.T) {
	const keyA, keyB = Key(0x0102030405060708), Key(0x8877665544332211)
	a, b := JoinHMAC(keyA, keyB, nil, 1, 2), JoinHMAC(keyB, keyA, nil, 2, 1)
	if got, want := hex.EncodeToString(b[:]), "5896cda7049df1e91603d3318933f91cea7154f22a8272742a8b00c0c71c8af8"; got != want {
		t.Errorf("B: got %s, want %s", got, want)
	}
	if got, want := hex.EncodeToString(a[:]), "b28cbde8680498d1365370a8199c90395d86925d86af925133bfdb8decf67ffd"; got != want {
		t.Errorf("A: got %s, want %s", got, want)
	}
}

func TestAddAddrHMAC(t *testing.T) {
	for _, c := range []struct {
		own, peer Key
		id        uint8
		addr      string
		port      uint16
		want      string
	}{
		{0x0102030405060708, 0x8877665544332211, 2, "192.0.2.5", 0, "9604b76a304fca61"},
		{0x8877665544332211, 0x0102030405060708, 2, "192.0.2.5", 443, "0b4726638cda7fcb"},
		{0x0102030405060708, 0x8877665544332211, 255, "2001:db8::5", 0, "64a43f290a59d608"},
		{0x0102030405060708, 0x8877665544332211, 3, "2001:db8::5", 8080, "d0f16bc330e78571"},
		{0xd2685db4f0b69eef, 0xac1f52e0ae4c81ac, 1, "10.77.2.2", 7001, "9bf99d88c1c75bf8"}, // a Linux kernel's
		{0xf6349aadab5738ae, 0x502ba8e59897aa9f, 2, "fd77:2::2", 0, "12941a695b50a92f"},    // a Linux kernel's
	} {
		h := AddAddrHMAC(c.own, c.peer, nil, c.id, netip.MustParseAddr(c.addr), c.port)
		if got := hex.EncodeToString(h[:]); got != c.want {
			t.Errorf("%s port %d: got %s, want %s", c.addr, c.port, got, c.want)
		}
	}
}

// The values of docs/protocol.md §1.3, computed with another implementation of HMAC (OpenSSL's).
func TestBindingVectors(t *testing.T) {
	const keyA, keyB = Key(0x0102030405060708), Key(0x8877665544332211)
	secret := make([]byte, 32)
	for i := range secret {
		secret[i] = byte(i)
	}
	join := JoinHMAC(keyA, keyB, secret, 1, 2)
	if got, want := hex.EncodeToString(join[:]), "afdd53dc82e560c5757e83e01362bee7271d1e78137c89078a2d27175bad1e06"; got != want {
		t.Errorf("MP_JOIN: got %s, want %s", got, want)
	}
	add := AddAddrHMAC(keyA, keyB, secret, 2, netip.MustParseAddr("192.0.2.5"), 443)
	if got, want := hex.EncodeToString(add[:]), "c8456748da8fe010"; got != want {
		t.Errorf("ADD_ADDR: got %s, want %s", got, want)
	}
	if got, want := FastcloseKey(secret, keyA), uint64(0x6c238f9112dc8b88); got != want {
		t.Errorf("MP_FASTCLOSE: got %016x, want %016x", got, want)
	}
	if got := FastcloseKey(nil, keyA); got != uint64(keyA) {
		t.Errorf("MP_FASTCLOSE without a binding: got %016x, want the receiver's key", got)
	}
}

// Whoever saw the keys in clear but does not have the binding computes other values.
func TestEveryInputCounts(t *testing.T) {
	const a, b = Key(1), Key(2)
	s := bytes.Repeat([]byte{7}, 32)
	addr, other := netip.MustParseAddr("192.0.2.5"), netip.MustParseAddr("192.0.2.6")
	joins := map[[32]byte]bool{
		JoinHMAC(a, b, s, 3, 4): true, JoinHMAC(a, b, nil, 3, 4): true, JoinHMAC(b, a, s, 3, 4): true,
		JoinProof(a, b, s, 3, 4, 5, false): true, JoinProof(a, b, s, 3, 4, 6, false): true, JoinProof(a, b, s, 3, 4, 5, true): true,
		JoinHMAC(a, b, s, 4, 3): true, JoinHMAC(a, b, s[:31], 3, 4): true,
	}
	adds := map[[8]byte]bool{
		AddAddrHMAC(a, b, s, 1, addr, 5): true, AddAddrHMAC(a, b, nil, 1, addr, 5): true,
		AddAddrHMAC(b, a, s, 1, addr, 5): true, AddAddrHMAC(a, b, s, 2, addr, 5): true,
		AddAddrHMAC(a, b, s, 1, other, 5): true, AddAddrHMAC(a, b, s, 1, addr, 6): true,
	}
	closes := map[uint64]bool{
		FastcloseKey(s, a): true, FastcloseKey(nil, a): true, FastcloseKey(s, b): true, FastcloseKey(s[:31], a): true,
	}
	if len(joins) != 8 || len(adds) != 6 || len(closes) != 4 {
		t.Errorf("some inputs do not count: %d of 8, %d of 6, %d of 4 values differ", len(joins), len(adds), len(closes))
	}
}

func TestComparison(t *testing.T) {
	full := JoinHMAC(1, 2, nil, 3, 4)
	wrong := full
	wrong[7] ^= 1
	for _, c := range []struct {
		name      string
		got, want []byte
		same      bool
	}{
		{"same", full[:8], bytes.Clone(full[:8]), true},
		{"one bit", wrong[:8], full[:8], false},
		{"a prefix only", full[:7], full[:8], false},
		{"nothing and nothing", nil, nil, false},
	} {
		if got := sameMAC(c.got, c.want); got != c.same {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	if !sameFastclose(7, 7) || sameFastclose(7, 8) || sameFastclose(1<<63, 0) {
		t.Error("sameFastclose is wrong")
	}
}
