package plaintest

import "time"

// delayedAck is how long an acknowledgement waits for a second segment (Linux: 40 ms).
const delayedAck = 40 * time.Millisecond

// quickAcks is how many acknowledgements leave at once at the start of a connection (Linux: 16).
const quickAcks = 16

// receiver is the receiving half of a flow.
type receiver struct {
	rcvNxt  uint64
	ooo     map[uint64]*segment
	inbox   []byte
	rcvFin  bool
	log     []arrival // what has arrived since the oldest acknowledgement under way, in order
	logged  int       // entries before log
	pending int       // segments not acknowledged yet
	quick   int       // acknowledgements that left at once
	delayed alarm
}

// arrival is a segment that has come, by which of its sendings.
type arrival struct {
	seg   *segment
	order uint64
}

// receive is a segment's arrival.
func (f *flow) receive(now time.Time, s *segment, order uint64) {
	if f.to.gone {
		f.to.refuse(now)
		return
	}
	f.pending++
	inOrder := s.seq == f.rcvNxt && len(f.ooo) == 0
	if s.seq >= f.rcvNxt && f.ooo[s.seq] == nil {
		f.ooo[s.seq] = s
		f.log = append(f.log, arrival{s, order})
	}
	f.advance()
	// At once when something is missing or was (RFC 5681 §4.2), for every second full segment, and at the start.
	if !inOrder || f.pending >= 2 || f.quick < quickAcks || s.fin {
		f.quick++
		f.acknowledge(now)
	} else if f.delayed.at.IsZero() {
		f.delayed.set(f.n, now.Add(delayedAck))
	}
}

// advance hands on what is in order.
func (f *flow) advance() {
	from := f.rcvNxt
	for t := f.ooo[f.rcvNxt]; t != nil; t = f.ooo[f.rcvNxt] {
		delete(f.ooo, f.rcvNxt)
		f.rcvNxt += uint64(len(t.data))
		f.inbox = append(f.inbox, t.data...)
		if t.fin {
			f.rcvNxt++
			f.rcvFin = true
		}
	}
	if f.rcvNxt != from {
		f.to.wakeReader()
	}
}

// acknowledge sends an acknowledgement. It tells of everything that has arrived, as selective acknowledgements nearly
// always do: they repeat themselves, so that one that is lost takes nothing with it.
func (f *flow) acknowledge(now time.Time) {
	f.pending = 0
	f.delayed.at = time.Time{}
	upTo := f.logged + len(f.log)
	f.back.send(now, packet{size: headerSize, arrive: func(now time.Time) { f.acked(now, upTo) }})
}

// arrivals takes the log up to an index; an acknowledgement that was overtaken finds nothing.
func (r *receiver) arrivals(upTo int) []arrival {
	n := upTo - r.logged
	if n <= 0 {
		return nil
	}
	news := r.log[:n:n]
	r.log, r.logged = r.log[n:], upTo
	return news
}
