package plain

import (
	"encoding/binary"

	"hawser/transport/wire"
)

// outgoing is a DATA record on its way out: header and DSS here, the payload where the session keeps it or, sealed, in
// memory of its own.
type outgoing struct {
	room  [headerLen + dataDSS]byte
	n     int // bytes of room in use
	m     wire.Mapping
	body  []byte // pinned until taken
	tag   int    // bytes of body that are none of the payload
	block *block // holds body; nil: the session does, or the collector
	sent  int    // bytes of head and body that the socket has taken
}

func (o *outgoing) head() []byte { return o.room[:o.n] }

func (o *outgoing) size() int { return o.n + len(o.body) }

// payload is how many of n bytes of the record are payload.
func (o *outgoing) payload(n int) int { return min(max(0, n-o.n), len(o.body)-o.tag) }

// close makes the head, and with a sealer the body too: o.body was the payload.
func (o *outgoing) close(seal *sealer) {
	head, _ := seal.open(o.room[:0], typeData)
	dss := wire.DSS{HasMap: true, DSNWide: true, Map: o.m}
	size := len(head)
	head = wire.AppendDSS(head, &dss)
	o.n = len(head)
	setLen(head, o.n-size+len(o.body))
	if seal == nil {
		binary.BigEndian.PutUint32(head[4:], checksum(head, o.body))
		return
	}
	var b []byte
	b, o.block = sealedMemory(len(o.body) + tagLen)
	o.body, o.tag = seal.seal(b, classData, o.body, head), tagLen
}

// release gives the memory of a record back that has left, or will not leave.
func (o *outgoing) release() {
	if o.block != nil {
		o.block.release()
	}
	o.body, o.block = nil, nil
}

// outbox is what waits in user space. At most one record in it is half-written, and that one always goes on first.
type outbox struct {
	control  []byte // preface, OPTIONS, ACK, PONG, PING: whole records but for the first
	tail     []byte // a PAD, which leaves behind data
	data     []outgoing
	first    int // data[first:] is not taken yet
	staged   int // payload bytes in data[first:] that are not taken yet
	seal     *sealer
	iovs     [][]byte
	payloads uint64 // payload bytes taken so far
}

// stage adds a DATA record whose mapping covers exactly b.
func (q *outbox) stage(m wire.Mapping, b []byte) {
	q.data = append(q.data, outgoing{m: m, body: b})
	q.data[len(q.data)-1].close(q.seal)
	q.staged += len(b)
}

// begin seals what leaves from now on: all but what is in control and a half-written record.
func (q *outbox) begin(seal *sealer) {
	q.seal = seal
	for i := q.first; i < len(q.data); i++ {
		if q.data[i].sent == 0 {
			q.data[i].close(seal)
		}
	}
}

// empty says whether nothing waits.
func (q *outbox) empty() bool {
	return len(q.control) == 0 && len(q.tail) == 0 && q.first == len(q.data)
}

// catchUp puts what is left of the tail behind control, where what is sealed next must not overtake it.
func (q *outbox) catchUp() {
	q.control = append(q.control, q.tail...)
	q.tail = q.tail[:0]
}

// records is the number of DATA records that wait.
func (q *outbox) records() int { return len(q.data) - q.first }

// unwritten is the number of bytes of DATA records that wait.
func (q *outbox) unwritten() int {
	n := 0
	for i := q.first; i < len(q.data); i++ {
		n += q.data[i].size() - q.data[i].sent
	}
	return n
}

// halfData says whether a DATA record is half-written.
func (q *outbox) halfData() bool { return q.first < len(q.data) && q.data[q.first].sent > 0 }

// batch lists what waits in the order in which it must leave: the half-written record, control, data, the tail. Without
// withData new DATA records and the tail stay behind.
func (q *outbox) batch(withData bool) (bufs [][]byte, size int) {
	bufs, i := q.iovs[:0], q.first
	if q.halfData() {
		bufs = q.data[i].appendTo(bufs)
		i++
	}
	if len(q.control) > 0 {
		bufs = append(bufs, q.control)
	}
	for ; withData && i < len(q.data); i++ {
		bufs = q.data[i].appendTo(bufs)
	}
	if withData && len(q.tail) > 0 {
		bufs = append(bufs, q.tail)
	}
	q.iovs = bufs
	for _, b := range bufs {
		size += len(b)
	}
	return bufs, size
}

// appendTo adds what is left of o.
func (o *outgoing) appendTo(bufs [][]byte) [][]byte {
	body := o.body
	if o.sent < o.n {
		bufs = append(bufs, o.head()[o.sent:])
	} else {
		body = body[o.sent-o.n:]
	}
	if len(body) > 0 {
		bufs = append(bufs, body)
	}
	return bufs
}

// taken books n bytes, in the order of batch.
func (q *outbox) taken(n int) {
	clear(q.iovs)
	if q.halfData() {
		n = q.takeData(n)
	}
	if n > 0 && len(q.control) > 0 {
		n = take(&q.control, n)
	}
	for n > 0 && q.first < len(q.data) {
		n = q.takeData(n)
	}
	if n > 0 {
		take(&q.tail, n)
	}
	if q.first == len(q.data) {
		clear(q.data)
		q.data, q.first = q.data[:0], 0
	}
}

// take drops up to n bytes from the front of b.
func take(b *[]byte, n int) (rest int) {
	used := min(n, len(*b))
	*b = (*b)[:copy(*b, (*b)[used:])]
	return n - used
}

func (q *outbox) takeData(n int) (rest int) {
	o := &q.data[q.first]
	before := o.payload(o.sent)
	used := min(n, o.size()-o.sent)
	o.sent += used
	fresh := o.payload(o.sent) - before
	q.payloads += uint64(fresh)
	q.staged -= fresh
	if o.sent == o.size() {
		o.release()
		q.first++
	}
	return n - used
}

// drop forgets everything and lets go of the sender's memory.
func (q *outbox) drop() {
	for i := q.first; i < len(q.data); i++ {
		q.data[i].release()
	}
	q.payloads += uint64(q.staged)
	*q = outbox{payloads: q.payloads, seal: q.seal}
}
