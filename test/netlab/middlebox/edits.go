package middlebox

import (
	"bytes"
	"sort"
)

// An edit replaces bytes of a stream.
type edit struct {
	at       uint32 // sequence number of the first byte, before any edit
	old, new uint32 // length before and after
	shift    uint32 // by which the edits before this one have moved it
}

// start is where the new bytes start for the receiver.
func (d edit) start() uint32 { return d.at + d.shift }

// edits is what a box has changed in one direction of a connection, in order, and the translation of sequence numbers
// that follows. The new bytes stand in place of the first of the old ones and nothing in place of the others: so every
// cut of the stream into segments has one translation, and retransmissions that are cut differently agree.
type edits struct {
	list    []edit
	scanned uint32 // what comes before is decided on: it has been edited or has passed as it is
	started bool
}

// rewrite returns the bytes that take the place of b, which starts at seq. Occurrences of old in what has not been
// decided on become new. Bytes that overtook others have been decided on, and so have those that they overtook.
func (e *edits) rewrite(seq uint32, b, old, new []byte) []byte {
	end := seq + uint32(len(b))
	if !e.started {
		e.scanned, e.started = seq, true
	}
	if before(e.scanned, end) {
		from := later(e.scanned, seq) - seq
		for {
			n := bytes.Index(b[from:], old)
			if n < 0 {
				break
			}
			from += uint32(n)
			e.add(edit{at: seq + from, old: uint32(len(old)), new: uint32(len(new))})
			from += uint32(len(old))
		}
		e.scanned = end
	}
	return e.apply(seq, b, new)
}

func (e *edits) add(d edit) {
	if n := len(e.list); n > 0 {
		last := e.list[n-1]
		d.shift = last.shift + last.new - last.old
	}
	e.list = append(e.list, d)
}

// apply makes the edits that touch b, which starts at seq.
func (e *edits) apply(seq uint32, b, new []byte) (out []byte) {
	pos, end := seq, seq+uint32(len(b))
	first := sort.Search(len(e.list), func(n int) bool { return before(pos, e.list[n].at+e.list[n].old) })
	for _, d := range e.list[first:] {
		stop := d.at + d.old
		if !before(d.at, end) {
			break
		}
		if !before(d.at, pos) {
			out = append(append(out, b[pos-seq:d.at-seq]...), new...)
		}
		if before(end, stop) {
			stop = end
		}
		pos = stop
	}
	return append(out, b[pos-seq:]...)
}

// ahead translates a sequence number of the sender for the receiver.
func (e *edits) ahead(seq uint32) uint32 {
	n := sort.Search(len(e.list), func(n int) bool { return !before(e.list[n].at, seq) })
	if n == 0 {
		return seq
	}
	d := e.list[n-1]
	return seq + d.shift + d.new - min(d.old, seq-d.at)
}

// back translates a sequence number of the receiver for the sender: the greatest that ahead leads to nothing later.
func (e *edits) back(seq uint32) uint32 {
	n := sort.Search(len(e.list), func(n int) bool { return before(seq, e.list[n].start()) })
	if n == 0 {
		return seq
	}
	d := e.list[n-1]
	if before(seq, d.start()+d.new) {
		return d.at // part of the new bytes: the first old one has not arrived
	}
	return seq - (d.start() + d.new) + d.at + d.old
}
