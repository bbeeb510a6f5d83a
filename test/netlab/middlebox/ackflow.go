package middlebox

import (
	"bytes"
	"time"
)

// An ackFlow is one connection of an AckAhead: what the box has promised to the sender and not yet got from the
// receiver.
type ackFlow struct {
	ahead   flow
	limit   int
	una     uint32 // the receiver has acknowledged what comes before
	next    uint32 // the box or the receiver has acknowledged what comes before
	edge    uint32 // the first sequence number beyond the receiver's window
	peerSeq uint32 // what the receiver sends next
	peerTS  uint32 // the receiver's latest timestamp

	ours, theirs bool  // the SYN of the sender, of the receiver has passed
	scale        uint8 // of the receiver's window
	scaled       [2]bool
	offered      uint32 // the window in the receiver's SYN

	kept []keptSegment // from una to next, in order
	size int           // bytes of payload kept

	dups     int    // duplicate acknowledgements
	recovery uint32 // losses are being repaired up to here, if it is later than una
	rto      time.Duration
	due      time.Time // of the retransmission; zero: none
}

// A keptSegment is a frame that the box answers for.
type keptSegment struct {
	end   uint32 // of its payload
	size  int
	frame []byte
}

// The retransmission time and its largest value.
const (
	firstRTO = 200 * time.Millisecond
	maxRTO   = 5 * time.Second
)

// synchronize learns from a SYN, with or without ACK.
func (f *ackFlow) synchronize(s *segment) {
	scaled, ours := findOption(s.options, kindWindowScale) != nil, s.flow() == f.ahead
	if ours && f.ours || !ours && f.theirs {
		return // once more
	}
	if ours {
		f.ours, f.scaled[0] = true, scaled
		f.una, f.next, f.recovery = s.end(), s.end(), s.end()
	} else {
		f.theirs, f.scaled[1], f.scale = true, scaled, windowScale(s.options)
		f.peerSeq, f.offered = s.end(), uint32(s.window) // RFC 7323 §2.2: a SYN's window is not scaled
	}
	f.edge, f.rto = f.next+f.offered, firstRTO
}

// open reports whether both SYNs have passed.
func (f *ackFlow) open() bool { return f.ours && f.theirs }

// shift is the scale of the receiver's window, once both ends have said that they scale.
func (f *ackFlow) shift() uint8 {
	if f.scaled[0] && f.scaled[1] {
		return f.scale
	}
	return 0
}

// take keeps what a segment holds of the bytes that come next. old means that the box has it all already.
func (f *ackFlow) take(now time.Time, s *segment, frame []byte) (taken, old bool) {
	end := s.seq + uint32(len(s.payload))
	if !before(f.next, end) {
		return false, true
	}
	limit := f.limit
	if limit <= 0 {
		limit = 1 << 20
	}
	gap, outside := before(f.next, s.seq), before(f.edge, end)
	if gap || outside || f.size+len(s.payload) > limit {
		return false, false
	}
	f.kept = append(f.kept, keptSegment{end, len(s.payload), bytes.Clone(frame)})
	f.size += len(s.payload)
	f.next = end
	if f.due.IsZero() {
		f.due = now.Add(f.rto)
	}
	return true, false
}

// acknowledgement answers s.
func (f *ackFlow) acknowledgement(s *segment) []byte {
	a := s.answer()
	a.seq, a.ack, a.window, a.flags = f.peerSeq, f.next, f.window(), flagACK
	if value, ok := timestamp(s.options); ok {
		a.options = appendTimestamps(nil, f.peerTS, value)
	}
	return a.frame()
}

// window is what the receiver's window leaves beyond what the box has acknowledged, as in a header.
func (f *ackFlow) window() uint16 {
	if !before(f.next, f.edge) {
		return 0
	}
	return uint16(min((f.edge-f.next)>>f.shift(), 0xffff))
}

// acknowledged learns from what the receiver sends and returns the frames that it lacks.
func (f *ackFlow) acknowledged(now time.Time, s *segment) (again [][]byte) {
	if s.has(flagSYN) || !f.open() {
		return nil
	}
	edge := s.ack + uint32(s.window)<<f.shift()
	pure := s.length() == 0 && edge == f.edge
	f.edge, f.peerSeq = later(f.edge, edge), later(f.peerSeq, s.end())
	if value, ok := timestamp(s.options); ok {
		f.peerTS = value
	}
	switch {
	case before(f.una, s.ack):
		f.release(now, s.ack)
		if before(f.una, f.recovery) && len(f.kept) > 0 { // RFC 6582 §3.2: a partial acknowledgement
			again = append(again, f.kept[0].frame)
		}
	case s.ack == f.una && pure && len(f.kept) > 0:
		if f.dups++; f.dups == 3 && !before(f.una, f.recovery) {
			f.recovery = f.next
			again = append(again, f.kept[0].frame)
		}
	}
	return again
}

// release forgets what the receiver has.
func (f *ackFlow) release(now time.Time, ack uint32) {
	f.una, f.next = ack, later(f.next, ack)
	f.dups, f.rto, f.due = 0, firstRTO, time.Time{}
	f.recovery = later(f.recovery, ack)
	for len(f.kept) > 0 && !before(ack, f.kept[0].end) {
		f.size -= f.kept[0].size
		f.kept = f.kept[1:]
	}
	if len(f.kept) > 0 {
		f.due = now.Add(f.rto)
	}
}

// timeout returns the first frame that the receiver lacks, and repairs what comes after it by partial acknowledgements.
func (f *ackFlow) timeout(now time.Time) []byte {
	f.rto = min(2*f.rto, maxRTO)
	f.due = now.Add(f.rto)
	f.dups, f.recovery = 0, f.next
	return f.kept[0].frame
}
