package plain

import (
	"bytes"
	"slices"
	"testing"

	"hawser/transport/wire"
)

// fill puts two DATA records and a control record into an outbox, and returns the bytes that must leave.
func fill(q *outbox, dsn uint64) []byte {
	q.stage(wire.Mapping{DSN: dsn, SSN: 1, Len: 5}, []byte("hello"))
	q.stage(wire.Mapping{DSN: dsn + 5, SSN: 6, Len: 6}, []byte("world!"))
	q.control = unsealed.appendRecord(q.control, typePing, make([]byte, 8))
	bufs, _ := q.batch(true)
	return bytes.Join(bufs, nil)
}

// TestOutboxCutAnywhere: wherever the system cuts a batch, the rest goes on from there, what was signalled meanwhile
// comes right after the half-written record, and no record is torn.
func TestOutboxCutAnywhere(t *testing.T) {
	var probe outbox
	size := len(fill(&probe, 1))
	for cut := range size + 1 {
		var q outbox
		out := bytes.Clone(fill(&q, 1)[:cut])
		q.taken(cut)
		late := unsealed.appendRecord(nil, typePong, make([]byte, 8))
		q.control = append(q.control, late...)
		bufs, rest := q.batch(true)
		out = append(out, bytes.Join(bufs, nil)...)
		q.taken(rest)
		if !q.empty() || q.payloads != 11 || q.staged != 0 {
			t.Fatalf("cut %d: empty %v, %d payload bytes, %d staged", cut, q.empty(), q.payloads, q.staged)
		}
		f := framer{preface: true, open: true}
		records, left, err := feed(&f, out)
		if err != nil || left != 0 || len(records) != 4 {
			t.Fatalf("cut %d: %d records, %d left, %v", cut, len(records), left, err)
		}
	}
}

// TestOutboxOrder: control overtakes data that has not begun, and nothing that has.
func TestOutboxOrder(t *testing.T) {
	for _, c := range []struct {
		name string
		cut  int
		want []recordType
	}{
		{"nothing taken", 0, []recordType{typePing, typeData, typeData}},
		{"cut in control", 3, []recordType{typePing, typeData, typeData}},
		{"cut in the first data", 16 + 10, []recordType{typePing, typeData, typePong, typeData}},
		{"cut in a payload", 16 + headerLen + dataDSS + 2, []recordType{typePing, typeData, typePong, typeData}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var q outbox
			out := bytes.Clone(fill(&q, 1)[:c.cut])
			q.taken(c.cut)
			want := c.want
			if c.cut > 16 {
				q.control = unsealed.appendRecord(q.control, typePong, make([]byte, 8))
			}
			bufs, rest := q.batch(true)
			out = append(out, bytes.Join(bufs, nil)...)
			q.taken(rest)
			f := framer{preface: true, open: true}
			records, _, err := feed(&f, out)
			if err != nil || len(records) != len(want) {
				t.Fatal(len(records), err)
			}
			for i := range want {
				if records[i].Type != want[i] {
					t.Fatalf("record %d is %v, want %v", i, records[i].Type, want[i])
				}
			}
		})
	}
}

// TestTailKeepsItsPlace: wherever the system cuts it, what is sealed after the tail leaves after it.
func TestTailKeepsItsPlace(t *testing.T) {
	var probe outbox
	fill(&probe, 1)
	probe.tail = unsealed.appendRecord(nil, typePad, make([]byte, 50))
	_, size := probe.batch(true)
	for cut := range size + 1 {
		var q outbox
		fill(&q, 1)
		q.tail = unsealed.appendRecord(q.tail, typePad, make([]byte, 50))
		bufs, _ := q.batch(true)
		out := bytes.Clone(bytes.Join(bufs, nil)[:cut])
		q.taken(cut)
		q.catchUp()
		q.control = unsealed.appendRecord(q.control, typePong, make([]byte, 8))
		bufs, rest := q.batch(true)
		out = append(out, bytes.Join(bufs, nil)...)
		q.taken(rest)
		f := framer{preface: true, open: true}
		records, left, err := feed(&f, out)
		if err != nil || left != 0 || len(records) != 5 || !q.empty() {
			t.Fatalf("cut %d: %d records, %d left, empty %v, %v", cut, len(records), left, q.empty(), err)
		}
		pad := slices.IndexFunc(records, func(r record) bool { return r.Type == typePad })
		pong := slices.IndexFunc(records, func(r record) bool { return r.Type == typePong })
		if pong < pad {
			t.Fatalf("cut %d: record %d overtook %d", cut, pong, pad)
		}
	}
}

func TestOutboxDropLetsGo(t *testing.T) {
	var q outbox
	fill(&q, 1)
	q.taken(16 + headerLen + dataDSS + 2)
	q.drop()
	if !q.empty() || q.payloads != 11 || q.halfData() {
		t.Fatalf("%+v", q)
	}
}
