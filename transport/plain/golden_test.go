package plain

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"hawser/transport"
	"hawser/transport/wire"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var testAck = ackRecord{
	Offset: 0x0102030405060708, Arrival: 0x11121314, Delay: 0x21222324,
	DataAck: transport.DataAck{Ack: 0x3132333435363738, Wide: true, Window: 0x41424344},
}

// golden is every record as the protocol's document has it; the checksums were computed by an independent program.
var golden = []struct {
	name  string
	bytes string
	make  func() []byte
	want  record
}{
	{
		"OPTIONS with MP_CAPABLE", "80 00 00 04 fc 1e e5 99 1e 04 01 01",
		func() []byte {
			return unsealed.appendRecord(nil, typeOptions, wire.MPCapable{Stage: wire.StageSYN, Version: 1, SHA256: true}.Append(nil))
		},
		record{Type: typeOptions, Options: []wire.Option{wire.MPCapable{Stage: wire.StageSYN, Version: 1, SHA256: true}}},
	},
	{
		"DATA", "81 00 00 15 50 c7 14 58 1e 12 20 0c 01 02 03 04 05 06 07 08 00 00 00 01 00 03 61 62 63",
		func() []byte { return dataRecord(wire.Mapping{DSN: 0x0102030405060708, SSN: 1, Len: 3}, "abc") },
		record{
			Type: typeData, Map: wire.Mapping{DSN: 0x0102030405060708, SSN: 1, Len: 3},
			Payload: transport.Payload{B: []byte("abc")},
		},
	},
	{
		"DATA with DATA_FIN", "81 00 00 13 49 ea ea 54 1e 12 20 1c 00 00 00 00 00 00 00 09 00 00 00 01 00 02 7a",
		func() []byte { return dataRecord(wire.Mapping{DSN: 9, SSN: 1, Len: 1, Fin: true}, "z") },
		record{
			Type: typeData, Map: wire.Mapping{DSN: 9, SSN: 1, Len: 1, Fin: true},
			Payload: transport.Payload{B: []byte("z")},
		},
	},
	{
		"lone DATA_FIN", "81 00 00 12 e7 03 6b 9c 1e 12 20 1c 00 00 00 00 00 00 00 09 00 00 00 00 00 01",
		func() []byte { return dataRecord(wire.Mapping{DSN: 9, Fin: true}, "") },
		record{Type: typeData, Map: wire.Mapping{DSN: 9, Fin: true}},
	},
	{
		"ACK", "82 00 00 20 7a db 29 16 01 02 03 04 05 06 07 08 11 12 13 14 21 22 23 24 41 42 43 44 " +
			"1e 0c 20 03 31 32 33 34 35 36 37 38",
		func() []byte { return unsealed.appendRecord(nil, typeAck, appendAck(nil, &testAck)) },
		record{Type: typeAck, Ack: testAck},
	},
	{
		"PING", "83 00 00 08 fb a4 78 01 00 00 00 00 00 00 00 01",
		func() []byte { return unsealed.appendRecord(nil, typePing, []byte{7: 1}) },
		record{Type: typePing, Token: [8]byte{7: 1}},
	},
	{
		"PONG", "84 00 00 08 6d f1 54 91 00 00 00 00 00 00 00 01",
		func() []byte { return unsealed.appendRecord(nil, typePong, []byte{7: 1}) },
		record{Type: typePong, Token: [8]byte{7: 1}},
	},
}

// dataRecord is a DATA record as the outbox makes it.
func dataRecord(m wire.Mapping, payload string) (out []byte) {
	var q outbox
	q.stage(m, []byte(payload))
	bufs, _ := q.batch(true)
	return bytes.Join(bufs, nil)
}

func TestGoldenRecords(t *testing.T) {
	for _, g := range golden {
		t.Run(g.name, func(t *testing.T) {
			want := unhex(t, g.bytes)
			if got := g.make(); !bytes.Equal(got, want) {
				t.Fatalf("made  %x\nwant %x", got, want)
			}
			f := framer{preface: true, open: true}
			records, n, _, err := f.parse(want, nil, nil, maxBatch)
			if err != nil || n != len(want) || len(records) != 1 {
				t.Fatalf("parsed %d records, %d bytes, %v", len(records), n, err)
			}
			if diff := differs(records[0], g.want); diff != "" {
				t.Fatal(diff)
			}
		})
	}
}

func TestGoldenPreface(t *testing.T) {
	want := unhex(t, "68 77 73 72 01 00 00 00")
	if got := appendPreface(nil, preface{1, 0}); !bytes.Equal(got, want) {
		t.Fatalf("%x, want %x", got, want)
	}
	p, n := consumePreface(unhex(t, "68 77 73 72 01 07 ff ff"))
	if n != 8 || p != (preface{1, 7}) || p.check() != nil {
		t.Fatalf("%v %d %v", p, n, p.check())
	}
}

func TestMicrosecondsRunOn(t *testing.T) {
	a := microseconds(origin.Add(time.Hour * 2)) // past 2³² µs
	b := microseconds(origin.Add(time.Hour*2 + 1500*time.Microsecond))
	if b-a != 1500 {
		t.Fatalf("%d µs, want 1500", b-a)
	}
}
