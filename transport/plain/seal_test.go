package plain

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"

	"hawser/transport"
	"hawser/transport/wire"
)

// testKey is 00 01 … 1f.
func testKey() (k [32]byte) {
	for i := range k {
		k[i] = byte(i)
	}
	return k
}

// sealedTalk is sealed records of all classes, with the ends of each.
func sealedTalk(chaCha bool) (b []byte, ends []int) {
	s := newSealer(testKey(), chaCha)
	add := func(r []byte) {
		b = append(b, r...)
		ends = append(ends, len(b))
	}
	ssn := uint32(1)
	for _, payload := range []string{"the first payload", "and the second"} {
		m := wire.Mapping{DSN: uint64(ssn), SSN: ssn, Len: uint16(len(payload))}
		o := outgoing{m: m, body: []byte(payload)}
		o.close(s)
		add(append(o.head(), o.body...))
		ssn += uint32(len(payload))
		add(s.appendRecord(nil, typeAck, appendAck(nil, &testAck)))
		add(s.appendRecord(nil, typePing, make([]byte, probeLen)))
	}
	return b, ends
}

func sealedFramer(chaCha bool) *framer {
	return &framer{preface: true, open: true, level: transport.ProtectAll, seal: newSealer(testKey(), chaCha)}
}

// TestSealedRecordsAsInTheDocument: the bytes of protocol.md §1.6.
func TestSealedRecordsAsInTheDocument(t *testing.T) {
	for _, c := range []struct {
		chaCha     bool
		ping, data string
	}{
		{
			false, "83010008" + "0000000000000001" + "419dbbb6bb456e6125a56039d1f1b0ea",
			"81010018" + "1e12200c010203040506070800000001" + "0006" + "24dcae76f8c4" + "66bd19db03317f73f53d7df0f69fbd37",
		},
		{
			true, "83010008" + "0000000000000001" + "47f15db70c9ac07897c73155e2cb409f",
			"81010018" + "1e12200c010203040506070800000001" + "0006" + "fc5e0c9da191" + "78521c4e2db42e51123cf7bc27293db3",
		},
	} {
		s := newSealer(testKey(), c.chaCha)
		if got := s.appendRecord(nil, typePing, []byte{7: 1}); hex.EncodeToString(got) != c.ping {
			t.Errorf("ChaCha %v: %x, want %s", c.chaCha, got, c.ping)
		}
		o := outgoing{m: wire.Mapping{DSN: 0x0102030405060708, SSN: 1, Len: 6}, body: []byte("hawser")}
		o.close(s)
		if got := append(o.head(), o.body...); hex.EncodeToString(got) != c.data {
			t.Errorf("ChaCha %v: %x, want %s", c.chaCha, got, c.data)
		}
	}
}

// TestPayloadOfSealedRecordsIsCiphertext, and lies where the record was once it is opened.
func TestPayloadOfSealedRecordsIsCiphertext(t *testing.T) {
	for _, chaCha := range []bool{false, true} {
		b, _ := sealedTalk(chaCha)
		if bytes.Contains(b, []byte("the first")) || bytes.Contains(b, []byte("second")) {
			t.Errorf("%q can be read by anybody", b)
		}
		secret := bytes.Repeat([]byte("secret "), 1000)
		o := outgoing{m: wire.Mapping{SSN: 1, Len: uint16(len(secret))}, body: secret}
		o.close(newSealer(testKey(), chaCha))
		if o.block == nil || !bytes.HasPrefix(secret, []byte("secret secret")) {
			t.Error("the session's own memory was encrypted")
		}
		buf := transport.GetBuffer()
		n := copy(buf.B, o.head())
		n += copy(buf.B[n:], o.body)
		records, used, _, err := sealedFramer(chaCha).parse(buf.B[:n], buf, nil, 1)
		if err != nil || used != n || len(records) != 1 || !bytes.Equal(records[0].Payload.B, secret) {
			t.Fatalf("%d records from %d of %d bytes: %v", len(records), used, n, err)
		}
		if records[0].Payload.Buf != buf {
			t.Error("the payload was copied")
		}
	}
}

// TestMemoryOfSealedRecordsIsGivenBack when they have left and when they will not.
func TestMemoryOfSealedRecordsIsGivenBack(t *testing.T) {
	for _, leave := range []bool{true, false} {
		q := outbox{seal: newSealer(testKey(), false)}
		for _, size := range []int{100, 10_000, 20_000, MaxPayload} {
			q.stage(wire.Mapping{Len: uint16(size)}, make([]byte, size))
		}
		waiting := q.data
		for i, want := range []bool{false, true, true, true} {
			if got := waiting[i].block != nil; got != want {
				t.Errorf("record %d is in a block: %v", i, got)
			}
		}
		if !leave {
			q.drop()
		} else {
			_, size := q.batch(true)
			q.taken(size)
		}
		for i := range waiting {
			if waiting[i].block != nil || waiting[i].body != nil {
				t.Errorf("leave %v: record %d is held", leave, i)
			}
		}
		if q.payloads != 100+10_000+20_000+MaxPayload || q.staged != 0 {
			t.Errorf("%d bytes of payload have left, %d have not", q.payloads, q.staged)
		}
	}
}

func TestSealedRecords(t *testing.T) {
	for _, chaCha := range []bool{false, true} {
		b, ends := sealedTalk(chaCha)
		records, rest, err := feed(sealedFramer(chaCha), b)
		if err != nil || rest != 0 || len(records) != len(ends) {
			t.Fatalf("%d records, %d bytes left: %v", len(records), rest, err)
		}
		if string(records[3].Payload.B) != "and the second" || !records[3].Sealed {
			t.Errorf("%+v", records[3])
		}
	}
}

// TestNoByteOfASealedRecordCanBeChanged.
func TestNoByteOfASealedRecordCanBeChanged(t *testing.T) {
	b, ends := sealedTalk(false)
	for i := range b {
		forged := bytes.Clone(b)
		forged[i] ^= 0x10
		records, _, err := feed(sealedFramer(false), forged)
		for n, end := range ends {
			if i < end && len(records) > n {
				t.Fatalf("byte %d changed: record %d was accepted", i, n)
			}
		}
		if err == nil && len(records) == len(ends) {
			t.Fatalf("byte %d changed: no error", i)
		}
	}
}

// TestSealedRecordsKeepTheirPlace: none can be left out, sent twice, swapped or taken from another direction.
func TestSealedRecordsKeepTheirPlace(t *testing.T) {
	b, ends := sealedTalk(false)
	rec := func(i int) []byte {
		if i == 0 {
			return b[:ends[0]]
		}
		return b[ends[i-1]:ends[i]]
	}
	join := bytes.Join
	none := []byte(nil)
	for name, in := range map[string][]byte{
		"ACK left out":  join([][]byte{rec(0), rec(2)}, none),
		"ACK twice":     join([][]byte{rec(0), rec(1), rec(1)}, none),
		"ACK swapped":   join([][]byte{rec(0), rec(2), rec(1)}, none),
		"DATA left out": rec(3),
		"DATA twice":    join([][]byte{rec(0), rec(0)}, none),
	} {
		if _, _, err := feed(sealedFramer(false), in); !isAltered(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := sealedFramer(false)
	other.seal = newSealer([32]byte{1}, false)
	if _, _, err := feed(other, rec(0)); !isAltered(err) {
		t.Errorf("the other direction's key: %v", err)
	}
	// Control may overtake data: the two are counted apart.
	if records, _, err := feed(sealedFramer(false), rec(1), rec(0)); err != nil || len(records) != 2 {
		t.Errorf("control before data: %v", err)
	}
}

func isAltered(err error) bool {
	var v *violation
	return errors.As(err, &v) && v.reason == wire.ResetMiddlebox
}

// TestUnsealedRecordsWhereASealIsDue.
func TestUnsealedRecordsWhereASealIsDue(t *testing.T) {
	data := dataRecord(wire.Mapping{DSN: 1, SSN: 1, Len: 3}, "abc")
	ack := unsealed.appendRecord(nil, typeAck, appendAck(nil, &testAck))
	ping := unsealed.appendRecord(nil, typePing, make([]byte, probeLen))
	options := func(o ...wire.Option) []byte {
		return unsealed.appendRecord(nil, typeOptions, wire.AppendOptions(nil, o...))
	}
	remove := options(wire.RemoveAddr{N: 1, IDs: [37]uint8{1}})
	reset := options(wire.MPTCPRst{Reason: wire.ResetResources})
	unknown := unsealed.appendRecord(nil, 0x7f, nil)
	pad := unsealed.appendRecord(nil, typePad, make([]byte, 9))
	const none, reply, sending, all = transport.Unprotected, transport.ProtectInReply, transport.ProtectSending, transport.ProtectAll
	for _, c := range []struct {
		name   string
		record []byte
		level  transport.Protection
		sealed bool // a sealed record came before
		refuse bool
	}{
		{"DATA", data, none, false, false},
		{"DATA", data, reply, false, false},
		{"DATA", data, sending, false, true},
		{"DATA", data, all, false, true},
		{"DATA", data, reply, true, true},
		{"ACK", ack, sending, false, false},
		{"ACK", ack, sending, true, true},
		{"ACK", ack, all, false, true},
		{"PING", ping, sending, false, false},
		{"PING", ping, all, false, true},
		{"PAD", pad, sending, false, false},
		{"PAD", pad, all, false, true},
		{"REMOVE_ADDR", remove, reply, false, false},
		{"REMOVE_ADDR", remove, sending, false, true},
		{"REMOVE_ADDR", remove, all, false, true},
		{"unknown", unknown, sending, false, true},
		{"MP_TCPRST", reset, all, false, false},
		{"MP_TCPRST", reset, all, true, true},
		{"MP_TCPRST beside REMOVE_ADDR", options(wire.MPTCPRst{}, wire.RemoveAddr{N: 1, IDs: [37]uint8{1}}), all, false, true},
	} {
		f := sealedFramer(false)
		f.level = c.level
		var first []byte
		if c.sealed {
			first = newSealer(testKey(), false).appendRecord(nil, typePing, make([]byte, probeLen))
		}
		if _, _, err := feed(f, first, c.record); isAltered(err) != c.refuse {
			t.Errorf("%s at level %d, sealed before: %v: error %v", c.name, c.level, c.sealed, err)
		}
	}
}

// TestKeysAreReplaced: both ends go on to the next key after the same record of a class, and the other class keeps its own.
func TestKeysAreReplaced(t *testing.T) {
	for _, chaCha := range []bool{false, true} {
		for c := range classes {
			f, s, old := sealedFramer(chaCha), newSealer(testKey(), chaCha), newSealer(testKey(), chaCha)
			f.seal.kinds[c].count, s.kinds[c].count, old.kinds[c].count = rekeyAfter-1, rekeyAfter-1, rekeyAfter+1
			var b, last []byte
			for i := range uint32(3) { // the last of the old key and two of the new one
				if c == classData {
					o := outgoing{m: wire.Mapping{SSN: 1 + 3*i, Len: 3}, body: []byte("abc")}
					o.close(s)
					last = append(o.head(), o.body...)
				} else {
					last = s.appendRecord(nil, typePing, make([]byte, probeLen))
				}
				b = append(b, last...)
			}
			if records, rest, err := feed(f, b); err != nil || rest != 0 || len(records) != 3 {
				t.Errorf("class %d, ChaCha20 %v: %d records, %d bytes left: %v", c, chaCha, len(records), rest, err)
			}
			if h, _ := consumeHeader(last); old.genuine(h, last) {
				t.Errorf("class %d, ChaCha20 %v: the old key is in use", c, chaCha)
			}
			if s.kinds[1-c].key != testKey() {
				t.Errorf("class %d, ChaCha20 %v: the other class has another key", c, chaCha)
			}
		}
	}
	if got := nextKey(testKey()); hex.EncodeToString(got[:]) != "48775f459dcaa72b7f4d6ac939efb0c93e8ea37f69248eeca82c61e7023ee45d" {
		t.Errorf("the next key is %x", got)
	}
}

// TestAfterMPJoinOnlySealedRecordsCount: between the last open message of a handshake and the keys nothing else may come.
func TestAfterMPJoinOnlySealedRecordsCount(t *testing.T) {
	join := unsealed.appendRecord(nil, typeOptions, wire.MPJoin{Stage: wire.StageACK}.Append(nil))
	prio := unsealed.appendRecord(nil, typeOptions, wire.MPPrio{}.Append(nil))
	ack := unsealed.appendRecord(nil, typeAck, appendAck(nil, &testAck))
	for _, next := range [][]byte{prio, ack, join} {
		f := framer{preface: true, client: true}
		if records, _, err := feed(&f, join, next); !isAltered(err) || len(records) != 1 {
			t.Errorf("%x was accepted: %v", next, err)
		}
	}
	both := unsealed.appendRecord(nil, typeOptions, wire.AppendOptions(nil, wire.MPJoin{Stage: wire.StageACK},
		wire.RemoveAddr{N: 1, IDs: [37]uint8{1}}))
	if records, _, err := feed(&framer{preface: true, client: true}, both); !isAltered(err) {
		t.Errorf("with MP_JOIN came another option: %v %v", records, err)
	}
	if _, _, err := feed(&framer{preface: true, open: true}, newSealer(testKey(), false).appendRecord(nil, typePing, make([]byte, 8))); err == nil {
		t.Error("a sealed record was accepted without keys")
	}
}

// TestMPJoinHasARecordOfItsOwn: the peer refuses another option beside it.
func TestMPJoinHasARecordOfItsOwn(t *testing.T) {
	reset, prio := wire.MPTCPRst{Reason: wire.ResetResources}, wire.MPPrio{}
	s := newSubflow("", nil)
	s.options = []wire.Option{prio, wire.MPJoin{Stage: wire.StageACK}, prio, reset}
	s.putOptions()
	records, _, err := feed(&framer{preface: true, open: true}, s.out.control[prefaceLen:])
	if len(records) != 2 || len(records[1].Options) != 1 || !isAltered(err) { // what follows is due a seal
		t.Fatalf("%d records: %v", len(records), err)
	}
}

// TestStagedDataIsSealed: what has not begun to leave when sealing begins leaves sealed, and in one piece with what has.
func TestStagedDataIsSealed(t *testing.T) {
	var q outbox
	for ssn := uint32(1); ssn <= 7; ssn += 3 {
		q.stage(wire.Mapping{DSN: uint64(ssn), SSN: ssn, Len: 3}, []byte("abc"))
	}
	var sent []byte
	leave := func(n int) {
		bufs, size := q.batch(true)
		n = min(n, size)
		sent = append(sent, bytes.Join(bufs, nil)[:n]...)
		q.taken(n)
	}
	leave(headerLen + 5)
	q.begin(newSealer(testKey(), false))
	q.control = q.seal.appendRecord(q.control, typePing, make([]byte, probeLen))
	leave(1 << 20)
	f := sealedFramer(false)
	f.level = transport.ProtectInReply
	records, rest, err := feed(f, sent)
	if err != nil || rest != 0 || len(records) != 4 {
		t.Fatalf("%d records, %d bytes left: %v", len(records), rest, err)
	}
	for i, want := range []bool{false, true, true, true} {
		if records[i].Sealed != want {
			t.Errorf("record %d sealed: %v", i, records[i].Sealed)
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	for _, c := range []struct {
		name   string
		chaCha bool
	}{{"AES", false}, {"ChaCha", true}} {
		b.Run(c.name, func(b *testing.B) {
			s, payload := newSealer(testKey(), c.chaCha), make([]byte, 16<<10)
			o := outgoing{m: wire.Mapping{SSN: 1, Len: uint16(len(payload))}}
			b.SetBytes(int64(len(payload)))
			b.ReportAllocs()
			for b.Loop() {
				o.body = payload
				o.close(s)
				o.release()
			}
		})
	}
}
