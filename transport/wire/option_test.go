package wire

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// unhex reads hexadecimal digits with spaces between them.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatalf("bad vector %q: %v", s, err)
	}
	return b
}

// hmac8 and hmac20 fill an HMAC field from hexadecimal digits.
func hmac8(t testing.TB, s string) (h [8]byte) {
	copy(h[:], unhex(t, s))
	return h
}

func hmac20(t testing.TB, s string) (h [20]byte) {
	copy(h[:], unhex(t, s))
	return h
}

// golden is one option in its three forms. The bytes are those of RFC 8684's figures, computed vectors, and what
// a Linux kernel sends.
type golden struct {
	bytes  string
	option Option
	text   string
}

func goldens(t testing.TB) []golden {
	a4, a6 := netip.MustParseAddr("192.0.2.5"), netip.MustParseAddr("2001:db8::5")
	const keyA, keyB = 0x0102030405060708, 0x8877665544332211
	return []golden{
		// MP_CAPABLE, the kernel's among them
		{"1e040101", MPCapable{Stage: StageSYN, Version: 1, SHA256: true}, "MP_CAPABLE syn v1 H"},
		{"1e040181", MPCapable{Stage: StageSYN, Version: 1, SHA256: true, Checksum: true}, "MP_CAPABLE syn v1 A H"},
		{"1e040121", MPCapable{Stage: StageSYN, Version: 1, SHA256: true, NoJoin: true}, "MP_CAPABLE syn v1 C H"},
		{"1e040201", MPCapable{Stage: StageSYN, Version: 2, SHA256: true}, "MP_CAPABLE syn v2 H"},
		{"1e0c0101 d2685db4f0b69eef",
			MPCapable{Stage: StageSYNACK, Version: 1, SHA256: true, SenderKey: 0xd2685db4f0b69eef},
			"MP_CAPABLE syn-ack v1 H sender=d2685db4f0b69eef"},
		{"1e140101 ac1f52e0ae4c81ac d2685db4f0b69eef",
			MPCapable{Stage: StageACK, Version: 1, SHA256: true,
				SenderKey: 0xac1f52e0ae4c81ac, ReceiverKey: 0xd2685db4f0b69eef},
			"MP_CAPABLE ack v1 H sender=ac1f52e0ae4c81ac receiver=d2685db4f0b69eef"},
		{"1e160101 0102030405060708 8877665544332211 05b4",
			MPCapable{Stage: StageData, Version: 1, SHA256: true, SenderKey: keyA, ReceiverKey: keyB, DataLen: 1460},
			"MP_CAPABLE data v1 H sender=0102030405060708 receiver=8877665544332211 len=1460"},
		{"1e180181 0d9fea41e7f0aa35 2b351258c9a7fee3 000a f17d",
			MPCapable{Stage: StageData, Version: 1, SHA256: true, Checksum: true, SenderKey: 0x0d9fea41e7f0aa35,
				ReceiverKey: 0x2b351258c9a7fee3, DataLen: 10, DataSum: 0xf17d, HasSum: true},
			"MP_CAPABLE data v1 A H sender=0d9fea41e7f0aa35 receiver=2b351258c9a7fee3 len=10 sum=f17d"},
		// MP_JOIN
		{"1e0c1001 038f83ad b26afa7a", MPJoin{Stage: StageSYN, AddressID: 1, Token: 0x038f83ad, Nonce: 0xb26afa7a},
			"MP_JOIN syn id=1 token=038f83ad nonce=b26afa7a"},
		{"1e0c1101 038f83ad b26afa7a",
			MPJoin{Stage: StageSYN, Backup: true, AddressID: 1, Token: 0x038f83ad, Nonce: 0xb26afa7a},
			"MP_JOIN syn id=1 backup token=038f83ad nonce=b26afa7a"},
		{"1e101002 329e6c798a03988a e5b13985",
			MPJoin{Stage: StageSYNACK, AddressID: 2, HMAC: hmac20(t, "329e6c798a03988a"), Nonce: 0xe5b13985},
			"MP_JOIN syn-ack id=2 hmac=329e6c798a03988a nonce=e5b13985"},
		{"1e101102 329e6c798a03988a e5b13985",
			MPJoin{Stage: StageSYNACK, Backup: true, AddressID: 2, HMAC: hmac20(t, "329e6c798a03988a"), Nonce: 0xe5b13985},
			"MP_JOIN syn-ack id=2 backup hmac=329e6c798a03988a nonce=e5b13985"},
		{"1e181000 eb4a641b492af8904517ac6e464d133d2e7ac520",
			MPJoin{Stage: StageACK, HMAC: hmac20(t, "eb4a641b492af8904517ac6e464d133d2e7ac520")},
			"MP_JOIN ack hmac=eb4a641b492af8904517ac6e464d133d2e7ac520"},
		// DSS
		{"1e042000", DSS{}, "DSS"},
		{"1e082001 02650383", DSS{HasAck: true, Ack: 0x02650383}, "DSS ack=02650383"},
		{"1e0c2003 cd87ca4b02650383", DSS{HasAck: true, AckWide: true, Ack: 0xcd87ca4b02650383},
			"DSS ack=cd87ca4b02650383"},
		{"1e0e2004 02650383 00000001 0064",
			DSS{HasMap: true, Map: Mapping{DSN: 0x02650383, SSN: 1, Len: 100}}, "DSS dsn=02650383 ssn=1 len=100"},
		{"1e122005 0000005b 00000050 00000001 000a",
			DSS{HasAck: true, Ack: 0x5b, HasMap: true, Map: Mapping{DSN: 0x50, SSN: 1, Len: 10}},
			"DSS ack=0000005b dsn=00000050 ssn=1 len=10"},
		{"1e12200c 64b267696e9e45be 00000001 0064",
			DSS{HasMap: true, DSNWide: true, Map: Mapping{DSN: 0x64b267696e9e45be, SSN: 1, Len: 100}},
			"DSS dsn=64b267696e9e45be ssn=1 len=100"},
		{"1e14200c 64b267696e9e45be 00000001 0064 f79a",
			DSS{HasMap: true, DSNWide: true, Map: Mapping{DSN: 0x64b267696e9e45be, SSN: 1, Len: 100}, HasSum: true, Sum: 0xf79a},
			"DSS dsn=64b267696e9e45be ssn=1 len=100 sum=f79a"},
		{"1e16200d 02650383 64b267696e9e45be 00000001 0064",
			DSS{HasAck: true, Ack: 0x02650383, HasMap: true, DSNWide: true, Map: Mapping{DSN: 0x64b267696e9e45be, SSN: 1, Len: 100}},
			"DSS ack=02650383 dsn=64b267696e9e45be ssn=1 len=100"},
		{"1e1a200f cd87ca4b02650383 64b267696e9e45be 00000001 0064",
			DSS{HasAck: true, AckWide: true, Ack: 0xcd87ca4b02650383, HasMap: true, DSNWide: true,
				Map: Mapping{DSN: 0x64b267696e9e45be, SSN: 1, Len: 100}},
			"DSS ack=cd87ca4b02650383 dsn=64b267696e9e45be ssn=1 len=100"},
		{"1e1a201f cd87ca4b02650383 64b267696e9f4622 00000000 0001",
			DSS{HasAck: true, AckWide: true, Ack: 0xcd87ca4b02650383, HasMap: true, DSNWide: true,
				Map: Mapping{DSN: 0x64b267696e9f4622, Fin: true}},
			"DSS ack=cd87ca4b02650383 dsn=64b267696e9f4622 ssn=0 len=0 fin"},
		{"1e1c201f 000000000000005b 0000000000000050 00000001 000b fa99", // RFC 8684 §3.3.3's example
			DSS{HasAck: true, AckWide: true, Ack: 91, HasMap: true, DSNWide: true,
				Map: Mapping{DSN: 0x50, SSN: 1, Len: 10, Fin: true}, HasSum: true, Sum: 0xfa99},
			"DSS ack=000000000000005b dsn=0000000000000050 ssn=1 len=10 fin sum=fa99"},
		{"1e14200c 0000000000001000 00000065 0000 0000",
			DSS{HasMap: true, DSNWide: true, Map: Mapping{DSN: 0x1000, SSN: 0x65}, Infinite: true, HasSum: true},
			"DSS dsn=0000000000001000 ssn=101 infinite sum=0000"},
		// ADD_ADDR
		{"1e103002 c0000205 9604b76a304fca61", AddAddr{ID: 2, Addr: a4, HMAC: hmac8(t, "9604b76a304fca61")},
			"ADD_ADDR id=2 addr=192.0.2.5 hmac=9604b76a304fca61"},
		{"1e123002 c0000205 01bb 0b4726638cda7fcb",
			AddAddr{ID: 2, Addr: a4, Port: 443, HMAC: hmac8(t, "0b4726638cda7fcb")},
			"ADD_ADDR id=2 addr=192.0.2.5 port=443 hmac=0b4726638cda7fcb"},
		{"1e1c30ff 20010db8000000000000000000000005 64a43f290a59d608",
			AddAddr{ID: 255, Addr: a6, HMAC: hmac8(t, "64a43f290a59d608")},
			"ADD_ADDR id=255 addr=2001:db8::5 hmac=64a43f290a59d608"},
		{"1e1e3003 20010db8000000000000000000000005 1f90 d0f16bc330e78571",
			AddAddr{ID: 3, Addr: a6, Port: 8080, HMAC: hmac8(t, "d0f16bc330e78571")},
			"ADD_ADDR id=3 addr=2001:db8::5 port=8080 hmac=d0f16bc330e78571"},
		{"1e123001 0a4d0202 1b59 9bf99d88c1c75bf8",
			AddAddr{ID: 1, Addr: netip.MustParseAddr("10.77.2.2"), Port: 7001, HMAC: hmac8(t, "9bf99d88c1c75bf8")},
			"ADD_ADDR id=1 addr=10.77.2.2 port=7001 hmac=9bf99d88c1c75bf8"},
		{"1e0a3101 0a4d0202 1b59", AddAddr{Echo: true, ID: 1, Addr: netip.MustParseAddr("10.77.2.2"), Port: 7001},
			"ADD_ADDR echo id=1 addr=10.77.2.2 port=7001"},
		{"1e1c3002 fd770002000000000000000000000002 12941a695b50a92f",
			AddAddr{ID: 2, Addr: netip.MustParseAddr("fd77:2::2"), HMAC: hmac8(t, "12941a695b50a92f")},
			"ADD_ADDR id=2 addr=fd77:2::2 hmac=12941a695b50a92f"},
		{"1e083102 c0000205", AddAddr{Echo: true, ID: 2, Addr: a4}, "ADD_ADDR echo id=2 addr=192.0.2.5"},
		{"1e143102 20010db8000000000000000000000005", AddAddr{Echo: true, ID: 2, Addr: a6},
			"ADD_ADDR echo id=2 addr=2001:db8::5"},
		{"1e163102 20010db8000000000000000000000005 1f90", AddAddr{Echo: true, ID: 2, Addr: a6, Port: 8080},
			"ADD_ADDR echo id=2 addr=2001:db8::5 port=8080"},
		// the others
		{"1e044001", RemoveAddr{N: 1, IDs: [MaxRemove]uint8{1}}, "REMOVE_ADDR ids=[1]"},
		{"1e064001 07ff", RemoveAddr{N: 3, IDs: [MaxRemove]uint8{1, 7, 255}}, "REMOVE_ADDR ids=[1 7 255]"},
		{"1e0351", MPPrio{Backup: true}, "MP_PRIO backup"},
		{"1e0350", MPPrio{}, "MP_PRIO regular"},
		{"1e0c6000 0000000000001000", MPFail{DSN: 0x1000}, "MP_FAIL dsn=0000000000001000"},
		{"1e0c7000 502ba8e59897aa9f", MPFastclose{Key: 0x502ba8e59897aa9f}, "MP_FASTCLOSE key=502ba8e59897aa9f"},
		{"1e048000", MPTCPRst{}, "MP_TCPRST unspecified"},
		{"1e048006", MPTCPRst{Reason: ResetMiddlebox}, "MP_TCPRST middlebox interference"},
		{"1e048f04", MPTCPRst{U: true, V: true, W: true, Transient: true, Reason: ResetOutstanding},
			"MP_TCPRST too much outstanding data U V W transient"},
	}
}

func TestGoldenOptions(t *testing.T) {
	for _, g := range goldens(t) {
		t.Run(g.text, func(t *testing.T) {
			want := unhex(t, g.bytes)
			if got := g.option.Append([]byte{1}); !bytes.Equal(got, append([]byte{1}, want...)) {
				t.Errorf("Append:\n got %x\nwant 01%x", got, want)
			}
			// bytes that follow belong to someone else
			got, n := ConsumeOption(append(bytes.Clone(want), 0x1e, 0x03, 0x51))
			if got != g.option || n != len(want) {
				t.Errorf("ConsumeOption:\n got %v, %d\nwant %v, %d", got, n, g.option, len(want))
			}
			if got := g.option.String(); got != g.text {
				t.Errorf("String:\n got %s\nwant %s", got, g.text)
			}
		})
	}
}

func TestEveryTruncationIsMalformed(t *testing.T) {
	for _, g := range goldens(t) {
		b := unhex(t, g.bytes)
		for i := range b {
			if o, n := ConsumeOption(b[:i]); o != nil || n >= 0 {
				t.Errorf("%v cut to %d bytes: got %v, %d", g.option, i, o, n)
			}
			run := append([]byte{0x1e, 0x03, 0x51}, b[:i]...)
			if os, n := ConsumeOptions(run, nil); i > 0 && (n >= 0 || len(os) != 1) {
				t.Errorf("run ending in %v cut to %d bytes: got %v, %d", g.option, i, os, n)
			}
		}
	}
}

// Each subtype with each of the 256 lengths: only those that the standard lists yield an option.
func TestUnknownLengthsAreSkipped(t *testing.T) {
	known := map[subtype][]int{
		subCapable: {4, 12, 20, 22, 24}, subJoin: {12, 16, 24}, subDSS: {26, 28}, subAddAddr: {16, 18, 28, 30},
		subPrio: {3}, subFail: {12}, subFastclose: {12}, subReset: {4},
	}
	for n := headerLen + 1; n <= headerLen+MaxRemove; n++ {
		known[subRemoveAddr] = append(known[subRemoveAddr], n)
	}
	for s := range 16 {
		found := []int{}
		for n := range 256 {
			b := bytes.Repeat([]byte{0x55}, 256)
			b[0], b[1], b[2] = KindMPTCP, byte(n), byte(s<<4)
			switch subtype(s) {
			case subCapable:
				b[2] |= Version
				b[3] = capableH
			case subDSS:
				b[3] = dssAck | dssAckWide | dssMap | dssDSNWide // 26, and 28 with a checksum
			}
			o, used := ConsumeOption(b)
			if malformed := n < 2; malformed != (used < 0) || !malformed && used != n {
				t.Fatalf("subtype %d, length %d: used %d", s, n, used)
			}
			if o != nil {
				found = append(found, n)
			}
		}
		if want := known[subtype(s)]; !slices.Equal(found, want) {
			t.Errorf("subtype %d: lengths %v yield an option, want %v", s, found, want)
		}
	}
}

func TestOptionsToBeIgnored(t *testing.T) {
	for name, s := range map[string]string{
		"MP_CAPABLE with B":                  "1e040141",
		"MP_CAPABLE without H":               "1e040100",
		"MP_CAPABLE with another algorithm":  "1e040102",
		"MP_CAPABLE version 0":               "1e0c0001 d2685db4f0b69eef",
		"MP_CAPABLE SYN version 0":           "1e040001",
		"MP_CAPABLE SYN/ACK version 2":       "1e0c0201 d2685db4f0b69eef",
		"MP_CAPABLE ACK version 2":           "1e140201 ac1f52e0ae4c81ac d2685db4f0b69eef",
		"DSS with a DATA_FIN of length 0":    "1e12201c 64b267696e9e45be 00000000 0000",
		"DSS with a checksum but no mapping": "1e0e2003 cd87ca4b02650383 f79a",
		"DSS longer than its flags":          "1e0c2001 cd87ca4b02650383",
		"ADD_ADDR with E and an HMAC":        "1e103102 c0000205 9604b76a304fca61",
		"ADD_ADDR without E and an HMAC":     "1e083002 c0000205",
		"REMOVE_ADDR of nothing":             "1e0340",
		"MP_PRIO of version 0":               "1e045101",
		"MP_EXPERIMENTAL":                    "1e05f00102",
		"no room for a subtype":              "1e02",
	} {
		b := unhex(t, s)
		if o, n := ConsumeOption(b); o != nil || n != len(b) {
			t.Errorf("%s: got %v, %d; want it skipped, %d", name, o, n, len(b))
		}
	}
}

func TestReservedBitsAreIgnored(t *testing.T) {
	for _, c := range []struct{ bits, plain string }{
		{"1e04011f", "1e040101"},
		{"1e0c1e01038f83adb26afa7a", "1e0c1001038f83adb26afa7a"},
		{"1e181fff eb4a641b492af8904517ac6e464d133d2e7ac520", "1e181000 eb4a641b492af8904517ac6e464d133d2e7ac520"},
		{"1e082fe1 02650383", "1e082001 02650383"},
		{"1e082019 02650383", "1e082001 02650383"}, // F and m mean nothing without M
		{"1e0e2006 02650383 00000001 0064", "1e0e2004 02650383 00000001 0064"},
		{"1e083fff c0000205", "1e0831ff c0000205"},
		{"1e044f01", "1e044001"},
		{"1e035e", "1e0350"},
		{"1e0c6fff 0000000000001000", "1e0c6000 0000000000001000"},
		{"1e0c7fff 502ba8e59897aa9f", "1e0c7000 502ba8e59897aa9f"},
	} {
		got, n := ConsumeOption(unhex(t, c.bits))
		want, _ := ConsumeOption(unhex(t, c.plain))
		if want == nil || got != want || n < 0 {
			t.Errorf("%s: got %v, %d; want %v", c.bits, got, n, want)
		}
	}
}

func TestRunOfOptions(t *testing.T) {
	fastclose, reset := MPFastclose{Key: 0x502ba8e59897aa9f}, MPTCPRst{}
	b := AppendOptions(nil, fastclose, reset)
	if want := unhex(t, "1e0c7000 502ba8e59897aa9f 1e048000"); !bytes.Equal(b, want) {
		t.Fatalf("AppendOptions: got %x, want %x", b, want)
	}
	b = append(b, unhex(t, "1e05f00102 1e0351")...) // one to skip, and one after it
	got, n := ConsumeOptions(b, []Option{MPPrio{}})
	want := []Option{MPPrio{}, fastclose, reset, MPPrio{Backup: true}}
	if n != len(b) || len(got) != len(want) {
		t.Fatalf("ConsumeOptions: got %v, %d; want %v, %d", got, n, want, len(b))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("option %d: got %v, want %v", i, got[i], want[i])
		}
	}
	if os, n := ConsumeOptions(nil, nil); len(os) != 0 || n != 0 {
		t.Errorf("empty run: got %v, %d", os, n)
	}
	for name, bad := range map[string]string{
		"end of options": "00", "no-operation": "01 1e0351", "another kind": "1e0351 0303 07", "lone kind": "1e0351 1e",
		"length 0": "1e00 0000", "length 1": "1e01 00", "overlong": "1e0451",
	} {
		if os, n := ConsumeOptions(unhex(t, bad), nil); n >= 0 {
			t.Errorf("%s: got %v, %d; want malformed", name, os, n)
		}
	}
}

func TestValuesWithoutAFormOnTheWirePanic(t *testing.T) {
	for _, o := range []Option{
		MPCapable{}, MPJoin{}, MPJoin{Stage: StageData}, AddAddr{ID: 1}, RemoveAddr{}, RemoveAddr{N: MaxRemove + 1},
		DSS{HasMap: true}, DSS{HasMap: true, Map: Mapping{Len: 65535, Fin: true}},
	} {
		func() {
			defer func() {
				if s, _ := recover().(string); !strings.HasPrefix(s, "BUG: wire: ") {
					t.Errorf("%v: want a panic that says so, got %q", o, s)
				}
			}()
			o.Append(nil)
		}()
	}
}

func TestNamesOfUnknownValues(t *testing.T) {
	if got := Stage(9).String(); got != "stage(9)" {
		t.Errorf("got %q", got)
	}
	seen := map[string]bool{}
	for r := ResetUnspecified; r <= ResetMiddlebox+1; r++ {
		seen[r.String()] = true
	}
	if len(seen) != 8 || !seen["reason 7"] {
		t.Errorf("names of reset reasons: %v", seen)
	}
}
