package plain

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"hawser/transport"
	"hawser/transport/wire"
)

// differs says how two records differ; empty: not at all.
func differs(got, want record) string {
	a, b := got.Payload.B, want.Payload.B
	got.Payload, want.Payload = transport.Payload{}, transport.Payload{}
	if !reflect.DeepEqual(got, want) || !bytes.Equal(a, b) {
		return fmt.Sprintf("got  %+v %q\nwant %+v %q", got, a, want, b)
	}
	return ""
}

// conversation is a preface and one of each record, in an order that the framer accepts.
func conversation(t testing.TB) (b []byte, want []record) {
	b = appendPreface(nil, preface{Major, Minor})
	next := uint32(1)
	for _, g := range golden {
		rec, w := unhex(t, g.bytes), g.want
		if w.Type == typeData && w.Map.Len > 0 {
			w.Map.SSN = next
			next += uint32(w.Map.Len)
			rec = dataRecord(w.Map, string(w.Payload.B))
		}
		b, want = append(b, rec...), append(want, w)
	}
	b = unsealed.appendRecord(b, 0x7f, []byte("unknown, to be skipped"))
	return b, want
}

// feed gives a framer bytes in the pieces of a connection.
func feed(f *framer, pieces ...[]byte) (records []record, rest int, err error) {
	var b []byte
	for _, p := range pieces {
		b = append(b, p...)
		var n int
		records, n, _, err = f.parse(b, nil, records, 1<<20)
		b = b[n:]
		if err != nil {
			break
		}
	}
	return records, len(b), err
}

func TestEverySplit(t *testing.T) {
	b, want := conversation(t)
	check := func(at string, records []record, rest int, err error) {
		t.Helper()
		if err != nil || rest != 0 || len(records) != len(want) {
			t.Fatalf("split %s: %d records, %d bytes left, %v", at, len(records), rest, err)
		}
		for i := range want {
			if diff := differs(records[i], want[i]); diff != "" {
				t.Fatalf("split %s: record %d: %s", at, i, diff)
			}
		}
	}
	for i := range len(b) + 1 {
		f := framer{open: true}
		records, rest, err := feed(&f, b[:i], b[i:])
		check(fmt.Sprint(i), records, rest, err)
	}
	var single [][]byte
	for i := range b {
		single = append(single, b[i:i+1])
	}
	f := framer{open: true}
	records, rest, err := feed(&f, single...)
	check("everywhere", records, rest, err)
}

func TestEveryTruncation(t *testing.T) {
	b, want := conversation(t)
	for i := range len(b) {
		f := framer{open: true}
		records, rest, err := feed(&f, b[:i])
		if err != nil {
			t.Fatalf("cut at %d: %v", i, err)
		}
		if len(records) > len(want) || i < len(b)-30 && len(records) == len(want) {
			t.Fatalf("cut at %d: %d records", i, len(records))
		}
		if whole := rest == 0; whole != (f.atEnd(rest) == nil) && i >= prefaceLen {
			t.Fatalf("cut at %d with %d bytes over: %v", i, rest, f.atEnd(rest))
		}
	}
}

// TestEveryDamage flips every bit: the record must not pass.
func TestEveryDamage(t *testing.T) {
	for _, g := range golden {
		good := unhex(t, g.bytes)
		for bit := range len(good) * 8 {
			b := bytes.Clone(good)
			b[bit/8] ^= 1 << (bit % 8)
			f := framer{preface: true, open: true}
			records, _, _, err := f.parse(b, nil, nil, 1)
			if err == nil && len(records) > 0 {
				t.Fatalf("%s: bit %d flipped and accepted", g.name, bit)
			}
		}
	}
}

func TestViolations(t *testing.T) {
	data := func(m wire.Mapping, payload string) []byte { return dataRecord(m, payload) }
	dss := func(d wire.DSS, payload string) []byte {
		return unsealed.appendRecord(nil, typeData, append(d.Append(nil), payload...))
	}
	const mb, pr = wire.ResetMiddlebox, wire.ResetProtocol
	for _, c := range []struct {
		name   string
		early  bool
		client bool
		in     []byte
		reason wire.ResetReason
	}{
		{"unknown critical type", false, false, unsealed.appendRecord(nil, 0x85, nil), pr},
		{"ACK of 31 bytes", false, false, unsealed.appendRecord(nil, typeAck, make([]byte, 31)), mb},
		{"ACK of zeros", false, false, unsealed.appendRecord(nil, typeAck, make([]byte, 32)), mb},
		{"PING of 7 bytes", false, false, unsealed.appendRecord(nil, typePing, make([]byte, 7)), mb},
		{"PONG of 9 bytes", false, false, unsealed.appendRecord(nil, typePong, make([]byte, 9)), mb},
		{"OPTIONS with another kind", false, false, unsealed.appendRecord(nil, typeOptions, []byte{1, 1}), mb},
		{"OPTIONS cut", false, false, unsealed.appendRecord(nil, typeOptions, []byte{30, 12, 1}), mb},
		{"DATA without DSS", false, false, unsealed.appendRecord(nil, typeData, make([]byte, 40)), mb},
		{"DATA without mapping", false, false, dss(wire.DSS{HasAck: true, AckWide: true}, "abcdefgh"), mb},
		{"DATA with 4-byte DSN", false, false, dss(wire.DSS{HasMap: true, Map: wire.Mapping{SSN: 1, Len: 4}}, "abcd"), mb},
		{"DATA with checksum", false, false,
			dss(wire.DSS{HasMap: true, DSNWide: true, HasSum: true, Map: wire.Mapping{SSN: 1, Len: 1}}, "a"), mb},
		{"infinite mapping", false, false, dss(wire.DSS{HasMap: true, DSNWide: true, Infinite: true}, ""), mb},
		{"mapping too long", false, false, dss(wire.DSS{HasMap: true, DSNWide: true, Map: wire.Mapping{SSN: 1, Len: 4}}, "abc"), mb},
		{"mapping too short", false, false, dss(wire.DSS{HasMap: true, DSNWide: true, Map: wire.Mapping{SSN: 1, Len: 2}}, "abc"), mb},
		{"mapping leaves a hole", false, false, data(wire.Mapping{SSN: 2, Len: 1}, "a"), mb},
		{"mapping at SSN 0", false, false, data(wire.Mapping{Len: 1}, "a"), mb},
		{"lone DATA_FIN at SSN 1", false, false, data(wire.Mapping{SSN: 1, Fin: true}, ""), mb},
		{"early DATA", true, false, data(wire.Mapping{SSN: 1, Len: 1}, "a"), pr},
		{"early DATA to a client", true, true, data(wire.Mapping{SSN: 1, Len: 1}, "a"), pr},
		{"early ACK to a server", true, false, unsealed.appendRecord(nil, typeAck, appendAck(nil, &testAck)), pr},
		{"early PING", true, true, unsealed.appendRecord(nil, typePing, make([]byte, 8)), pr},
		{"early OPTIONS of 65 bytes", true, true, unsealed.appendRecord(nil, typeOptions, make([]byte, 65)), pr},
		{"early unknown type", true, true, unsealed.appendRecord(nil, 1, nil), pr},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := framer{preface: true, open: !c.early, client: c.client}
			records, _, err := feed(&f, c.in)
			var v *violation
			if !errors.As(err, &v) || v.reason != c.reason || len(records) != 0 {
				t.Fatalf("%d records, %v; want reason %v", len(records), err, c.reason)
			}
		})
	}
}

// TestEarlyRefusalNeedsNoValue: a header is enough, so nothing of a refused value is ever held.
func TestEarlyRefusalNeedsNoValue(t *testing.T) {
	f := framer{preface: true}
	if _, _, err := feed(&f, []byte{byte(typeOptions), 0, 0, 65, 0, 0, 0, 0}); err == nil {
		t.Fatal("accepted")
	}
}

func TestAckEstablishesAClient(t *testing.T) {
	f := framer{preface: true, client: true}
	in := unsealed.appendRecord(nil, typeAck, appendAck(nil, &testAck))
	records, _, err := feed(&f, in, dataRecord(wire.Mapping{SSN: 1, Len: 1}, "a"))
	if err != nil || len(records) != 2 {
		t.Fatalf("%d records, %v", len(records), err)
	}
}

func TestUnknownOptionsAreIgnored(t *testing.T) {
	f := framer{preface: true}
	value := []byte{30, 4, 0xf0, 0, 30, 5, 0x50, 0, 0}
	value = wire.MPPrio{Backup: true}.Append(value)
	records, _, err := feed(&f, unsealed.appendRecord(nil, typeOptions, value))
	if err != nil || len(records) != 1 || len(records[0].Options) != 1 {
		t.Fatalf("%+v, %v", records, err)
	}
}

// TestLongestRecord carries MaxPayload bytes, the most that fit.
func TestLongestRecord(t *testing.T) {
	payload := string(make([]byte, MaxPayload))
	rec := dataRecord(wire.Mapping{SSN: 1, Len: MaxPayload, Fin: true}, payload)
	if len(rec) != headerLen+maxValue {
		t.Fatalf("%d bytes", len(rec))
	}
	f := framer{preface: true, open: true}
	records, rest, err := feed(&f, rec)
	if err != nil || rest != 0 || len(records[0].Payload.B) != MaxPayload || !records[0].Map.Fin {
		t.Fatalf("%d bytes left, %v", rest, err)
	}
}

// TestSharedPayload: long payloads refer to the buffer, short ones are copied, and both outlive the reader's hold.
func TestSharedPayload(t *testing.T) {
	buf := transport.GetBuffer()
	b := append(buf.B[:0], dataRecord(wire.Mapping{SSN: 1, Len: 5000}, string(make([]byte, 5000)))...)
	b = append(b, dataRecord(wire.Mapping{SSN: 5001, Len: 3}, "abc")...)
	f := framer{preface: true, open: true}
	records, n, _, err := f.parse(b, buf, nil, 10)
	if err != nil || n != len(b) || len(records) != 2 {
		t.Fatal(n, err)
	}
	if records[0].Payload.Buf != buf || records[1].Payload.Buf != nil {
		t.Fatalf("buffers %p %p, want %p and none", records[0].Payload.Buf, records[1].Payload.Buf, buf)
	}
	buf.Release()
	records[0].Payload.Release()
	records[1].Payload.Release()
	defer func() {
		if recover() == nil {
			t.Fatal("the buffer still had a holder")
		}
	}()
	buf.Release()
}

func TestPrefaceErrors(t *testing.T) {
	for _, c := range []struct {
		in   string
		want error
	}{
		{"GET / HTTP/1.1", ErrNotHawser},
		{"hwsx", ErrNotHawser},
		{"hwsr\x02\x00\x00\x00", ErrVersion},
		{"hwsr\x00\x00\x00\x00", ErrVersion},
	} {
		var f framer
		if _, _, err := feed(&f, []byte(c.in)); !errors.Is(err, c.want) {
			t.Errorf("%q: %v, want %v", c.in, err, c.want)
		}
	}
	var f framer
	if err := f.atEnd(0); !errors.Is(err, ErrNotHawser) {
		t.Errorf("nothing at all: %v", err)
	}
}
