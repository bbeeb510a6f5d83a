package tunnel

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"hawser/proxy/relay"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// codec hides the type of a message, so that all are tested alike.
type codec struct {
	name   string
	golden string
	value  any
	encode func() []byte
	decode func(io.Reader) (any, error)
}

func codecs(t testing.TB) []codec {
	hello := Hello{
		Version: 1, Instance: [8]byte{1, 2, 3, 4, 5, 6, 7, 8}, AddressID: 9, Survive: time.Minute, Software: "hawser 1.0",
	}
	yes := Welcome{
		Version: 1, Streams: 8192, RawPort: 7443, PlainPort: 7444, Survive: 30 * time.Second, Software: "hawser 1.1",
	}
	heard := yes
	heard.Heard = 1888
	no := Welcome{Status: StatusUnknownKey, Version: 1, Text: "ask for a new invite"}
	v4 := Request{CommandConnect, TargetOf("192.0.2.1", 443)}
	v6 := Request{CommandConnect, TargetOf("2001:db8::1", 80)}
	name := Request{CommandConnect, TargetOf("example.net", 8080)}
	ok := Reply{Bound: netip.MustParseAddrPort("198.51.100.2:40000")}
	ok6 := Reply{Bound: netip.MustParseAddrPort("[2001:db8::2]:40000")}
	refused := Reply{Code: relay.CodeConnectionRefused, Bound: netip.MustParseAddrPort("0.0.0.0:0"), Text: "refused"}
	return []codec{
		helloCodec("hello", hello, "0023 0102 0001 0208 0102030405060708 0301 09 0404 0000003c 050a 68617773657220312e30"),
		welcomeCodec("welcome", yes, "0029 0101 00 0202 0001 0300 0404 00002000 0502 1d13 0602 1d14 0704 0000001e"+
			"080a 68617773657220312e31"),
		welcomeCodec("welcome after so many bytes", heard, "002f 0101 00 0202 0001 0300 0404 00002000 0502 1d13 0602 1d14 0704 0000001e"+
			"080a 68617773657220312e31 0904 00000760"),
		welcomeCodec("turned away", no, "0033 0101 01 0202 0001 0314 61736b20666f722061206e657720696e76697465"+
			"0404 00000000 0502 0000 0602 0000 0704 00000000 0800"),
		requestCodec(t, "request v4", v4, "01 01 01 c0000201 01bb"),
		requestCodec(t, "request v6", v6, "01 01 04 20010db8000000000000000000000001 0050"),
		requestCodec(t, "request name", name, "01 01 03 0b 6578616d706c652e6e6574 1f90"),
		replyCodec("reply v4", ok, "01 00 01 c6336402 9c40 00"),
		replyCodec("reply v6", ok6, "01 00 04 20010db8000000000000000000000002 9c40 00"),
		replyCodec("reply refused", refused, "01 05 01 00000000 0000 07 72656675736564"),
	}
}

func helloCodec(name string, h Hello, golden string) codec {
	return codec{name, golden, h, func() []byte { return AppendHello(nil, h) },
		func(r io.Reader) (any, error) { return ReadHello(r) }}
}

func welcomeCodec(name string, w Welcome, golden string) codec {
	return codec{name, golden, w, func() []byte { return AppendWelcome(nil, w) },
		func(r io.Reader) (any, error) { return ReadWelcome(r) }}
}

func requestCodec(t testing.TB, name string, req Request, golden string) codec {
	return codec{name, golden, req, func() []byte {
		b, err := AppendRequest(nil, req)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}, func(r io.Reader) (any, error) { return ReadRequest(r) }}
}

func replyCodec(name string, reply Reply, golden string) codec {
	return codec{name, golden, reply, func() []byte { return AppendReply(nil, reply) },
		func(r io.Reader) (any, error) { return ReadReply(r) }}
}

func TestGoldenBytes(t *testing.T) {
	for _, c := range codecs(t) {
		t.Run(c.name, func(t *testing.T) {
			want := unhex(t, c.golden)
			if got := c.encode(); !bytes.Equal(got, want) {
				t.Errorf("encoded\n%x, want\n%x", got, want)
			}
			r := bytes.NewReader(append(want, "the application's"...))
			got, err := c.decode(r)
			if err != nil || got != c.value {
				t.Errorf("decoded %v, %v, want %v", got, err, c.value)
			}
			if r.Len() != len("the application's") {
				t.Errorf("%d bytes are left behind the message", r.Len())
			}
		})
	}
}

func TestEveryTruncationIsAnError(t *testing.T) {
	for _, c := range codecs(t) {
		whole := c.encode()
		for n := range whole {
			_, err := c.decode(bytes.NewReader(whole[:n]))
			if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
				t.Errorf("%s cut after %d bytes: %v", c.name, n, err)
			}
		}
	}
}

func TestMalformedMessages(t *testing.T) {
	for name, body := range map[string]string{
		"field cut off":          "01",
		"value cut off":          "0102 00",
		"field twice":            "0102 0001 0102 0001",
		"unknown field twice":    "0102 0001 0208 0102030405060708 f000 f000",
		"wrong length":           "0101 01",
		"instance too long":      "0209 010203040506070809",
		"no instance":            "0102 0001",
		"no version":             "0208 0102030405060708",
		"version 0":              "0102 0000 0208 0102030405060708",
		"software too long":      "0541" + strings.Repeat("61", 65),
		"software no valid text": "0501 ff",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseHello(unhex(t, body))
			wantErr(t, "hello", err, errMessage)
		})
	}
	t.Run("too long", func(t *testing.T) {
		_, err := ReadHello(bytes.NewReader(make([]byte, 2000)))
		wantErr(t, "a hello without fields", err, errMessage)
		_, err = ReadHello(bytes.NewReader(append([]byte{0xff, 0xff}, make([]byte, 1<<16)...)))
		wantErr(t, "a hello of 64 kB", err, errMessage)
	})
	t.Run("no status", func(t *testing.T) {
		_, err := parseWelcome(unhex(t, "0202 0001"))
		wantErr(t, "welcome", err, errMessage)
	})
	t.Run("unknown field", func(t *testing.T) {
		h, err := parseHello(unhex(t, "f003 010203 0102 0007 0208 0102030405060708"))
		if err != nil || h.Version != 7 {
			t.Errorf("%v, %v", h, err)
		}
	})
}

func TestMalformedRequestsHaveACode(t *testing.T) {
	for _, c := range []struct {
		name, bytes string
		code        relay.Code
	}{
		{"unknown version", "02 01 01 c0000201 01bb", relay.CodeGeneralFailure},
		{"unknown command", "01 03 01 c0000201 01bb", relay.CodeCommandNotSupported},
		{"unknown address type", "01 01 02 c0000201 01bb", relay.CodeAddressTypeUnknown},
		{"empty name", "01 01 03 00 01bb", relay.CodeAddressTypeUnknown},
	} {
		_, err := ReadRequest(bytes.NewReader(unhex(t, c.bytes)))
		var reply *ReplyError
		if !errors.As(err, &reply) || reply.Code != c.code || reply.ReplyCode() != byte(c.code) {
			t.Errorf("%s: %v, want code %v", c.name, err, c.code)
		}
	}
}

func TestTargetsThatHaveNoFormOnTheWire(t *testing.T) {
	for _, target := range []Target{
		{Port: 1}, {Name: strings.Repeat("a", 256)}, {Addr: netip.MustParseAddr("fe80::1%eth0")},
	} {
		if b, err := AppendRequest(nil, Request{CommandConnect, target}); err == nil {
			t.Errorf("%v: %x", target, b)
		}
	}
}

func TestTextIsCutBetweenCharacters(t *testing.T) {
	w := Welcome{Status: StatusFull, Version: 1, Text: strings.Repeat("ä", 150)}
	got, err := ReadWelcome(bytes.NewReader(AppendWelcome(nil, w)))
	if err != nil || got.Text != strings.Repeat("ä", 100) {
		t.Errorf("text of %d bytes, %v", len(got.Text), err)
	}
	r := Reply{Code: 1, Text: strings.Repeat("€", 150)}
	reply, err := ReadReply(bytes.NewReader(AppendReply(nil, r)))
	if err != nil || reply.Text != strings.Repeat("€", 85) {
		t.Errorf("text of %d bytes, %v", len(reply.Text), err)
	}
}

// roundTrip: what is decoded encodes to something that decodes to the same.
func roundTrip[T comparable](t *testing.T, b []byte, read func(io.Reader) (T, error), encode func(T) []byte) {
	first, err := read(bytes.NewReader(b))
	if err != nil {
		return
	}
	second, err := read(bytes.NewReader(encode(first)))
	if err != nil || second != first {
		t.Fatalf("%x: %v became %v, %v", b, first, second, err)
	}
}

func seed(f *testing.F) {
	for _, c := range codecs(f) {
		f.Add(c.encode())
	}
}

func FuzzReadHello(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		roundTrip(t, b, ReadHello, func(h Hello) []byte { return AppendHello(nil, h) })
	})
}

func FuzzReadWelcome(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		roundTrip(t, b, ReadWelcome, func(w Welcome) []byte { return AppendWelcome(nil, w) })
	})
}

func FuzzReadRequest(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		roundTrip(t, b, ReadRequest, func(r Request) []byte {
			out, err := AppendRequest(nil, r)
			if err != nil {
				t.Fatal(err)
			}
			if len(out) > len(b) {
				t.Fatalf("%x became longer: %x", b, out)
			}
			return out
		})
	})
}

func FuzzReadReply(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		roundTrip(t, b, ReadReply, func(r Reply) []byte { return AppendReply(nil, r) })
	})
}
