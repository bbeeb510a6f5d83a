package inbound

import (
	"bufio"
	"bytes"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"hawser/proxy/relay"
)

// reader reads b as a connection's handshake is read.
func reader(b []byte) *bufio.Reader { return bufio.NewReaderSize(bytes.NewReader(b), headSize) }

// wantBounded asserts that reading a handshake allocates no more than a name, a user id and what carries them need,
// whatever lengths it claims.
func wantBounded(t *testing.T, b []byte, read func(r *bufio.Reader)) {
	t.Helper()
	const limit = 40 // allocations; growing 255 bytes of text takes 7
	r, src := reader(nil), bytes.NewReader(nil)
	if n := testing.AllocsPerRun(1, func() { src.Reset(b); r.Reset(src); read(r) }); n > limit {
		t.Errorf("%x: %v allocations; want at most %d", b, n, limit)
	}
}

func FuzzReadMethods(f *testing.F) {
	f.Add([]byte{5, 1, 0})
	f.Add([]byte{5, 0})
	f.Add(append([]byte{5, 255}, make([]byte, 255)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		wantBounded(t, b, func(r *bufio.Reader) { _, _ = readMethods(r) })
		methods, err := readMethods(reader(b))
		if err != nil {
			return
		}
		if len(methods) > 255 || !bytes.HasPrefix(b, append([]byte{b[0], byte(len(methods))}, methods...)) {
			t.Errorf("%x: methods %x", b, methods)
		}
	})
}

func FuzzReadRequest5(f *testing.F) {
	f.Add(join(5, 1, 0, 1, 192, 0, 2, 1, 0, 80))
	f.Add(join(5, 1, 0, 3, 11, "example.com", 0, 80))
	f.Add(join(5, 1, 0, 4, strings.Repeat("\x20", 16), 0, 80))
	f.Add(join(5, 3, 0, 3, 0, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		wantBounded(t, b, func(r *bufio.Reader) { _, _, _ = readRequest5(r) })
		target, code, err := readRequest5(reader(b))
		if err != nil || code != relay.CodeSucceeded {
			if target != (Target{}) {
				t.Errorf("%x: %v, %v and a target", b, code, err)
			}
			return
		}
		wantTarget(t, target)
		if b[0] != 5 || b[1] != 1 {
			t.Errorf("%x: version or command taken for CONNECT", b)
		}
		if target.Name == "" { // the address comes back as it was, mapped ones as IPv4
			again := join(b[:3], appendReply5(nil, 0, netip.AddrPortFrom(target.Addr, target.Port))[3:])
			back, _, err := readRequest5(reader(again))
			if err != nil || back != target {
				t.Errorf("%v came back as %v, %v", target, back, err)
			}
		}
	})
}

func FuzzReadRequest4(f *testing.F) {
	f.Add(join(4, 1, 0, 80, 192, 0, 2, 1, "me", 0))
	f.Add(join(4, 1, 0, 80, 0, 0, 0, 1, "me", 0, "example.com", 0))
	f.Add(join(4, 1, 0, 80, 0, 0, 0, 1, strings.Repeat("u", 256), 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		wantBounded(t, b, func(r *bufio.Reader) { _, _ = readRequest4(r) })
		req, err := readRequest4(reader(b))
		if err != nil {
			return
		}
		if len(req.name) > maxText4 || strings.ContainsRune(req.name, 0) {
			t.Errorf("%x: name %q", b, req.name)
		}
		if target, err := req.target(); err == nil {
			wantTarget(t, target)
		}
	})
}

func FuzzParseTarget(f *testing.F) {
	for _, s := range []string{"example.com:443", "[2001:db8::1]:80", "192.0.2.1:1", "[::1]", "example.com", ":80", "a:b:c", "[fe80::1%25lo]:80"} {
		f.Add(s, uint16(80))
		f.Add(s, uint16(0))
	}
	f.Fuzz(func(t *testing.T, s string, port uint16) {
		target, err := parseTarget(s, port)
		if err != nil {
			return
		}
		wantTarget(t, target)
		if target.Port == 0 {
			t.Errorf("%q: port 0", s)
		}
		back, err := parseTarget(target.String(), 0)
		if err != nil || back != target {
			t.Errorf("%q is %v, which is %v, %v", s, target, back, err)
		}
	})
}

// FuzzProtocolOf asserts that exactly what net/http could begin with is given to it.
func FuzzProtocolOf(f *testing.F) {
	for _, b := range []byte{0, 4, 5, 'G', 'c', 0x16, '\r', 0xff} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b byte) {
		letter := strings.Contains("ABCDEFGHIJKLMNOPQRSTUVWXYZ", strings.ToUpper(string(rune(b)))) && b < 0x80
		switch got := protocolOf(b); {
		case (got == protocolSOCKS4) != (b == 4), (got == protocolSOCKS5) != (b == 5), (got == protocolHTTP) != letter:
			t.Errorf("%#x: protocol %d", b, got)
		}
	})
}

// wantTarget asserts what the tunnel may rely on.
func wantTarget(t *testing.T, target Target) {
	t.Helper()
	named := target.Name != ""
	switch {
	case named == target.Addr.IsValid():
		t.Errorf("%+v: neither name nor address, or both", target)
	case len(target.Name) > 255 || strings.ContainsAny(target.Name, "\x00\r\n /@:"):
		t.Errorf("%+v: not a name", target)
	case target.Addr.Zone() != "" || target.Addr.Is4In6():
		t.Errorf("%+v: an address with a zone, or mapped", target)
	}
	if _, port, err := net.SplitHostPort(target.String()); err != nil || port != strconv.Itoa(int(target.Port)) {
		t.Errorf("%+v prints as %q", target, target)
	}
}
