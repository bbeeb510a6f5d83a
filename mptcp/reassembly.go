package mptcp

import (
	"sort"

	"hawser/transport"
)

// held is a run of received bytes that waits for what comes before it.
type held struct {
	dsn uint64
	p   transport.Payload
}

func (h *held) end() uint64 { return h.dsn + uint64(len(h.p.B)) }

// reassembly puts the bytes of all subflows in order (RFC 8684 §3.3). The first copy of a byte wins (§3.3.1). Its
// runs are sorted by data sequence number and do not overlap. Owned by the loop.
type reassembly struct {
	next   uint64 // next byte expected
	runs   []held
	bytes  int // in runs
	copied int // bytes of them that are copies of their own
	dup    uint64
}

// insert takes in bytes that start at dsn and appends to out what is now in order. All of p's bytes must lie inside
// the window. p is owned from here.
func (r *reassembly) insert(dsn uint64, p transport.Payload, out []transport.Payload) []transport.Payload {
	if old := int64(r.next - dsn); old > 0 {
		if old >= int64(len(p.B)) {
			r.dup += uint64(len(p.B))
			p.Release()
			return out
		}
		r.dup += uint64(old)
		p.B, dsn = p.B[old:], r.next
	}
	if dsn == r.next && (len(r.runs) == 0 || int64(r.runs[0].dsn-(dsn+uint64(len(p.B)))) >= 0) {
		r.next += uint64(len(p.B))
		return r.drain(append(out, p))
	}
	r.store(dsn, p)
	return r.drain(out)
}

// store files p among the runs, cut to the parts that are not there yet.
func (r *reassembly) store(dsn uint64, p transport.Payload) {
	i := sort.Search(len(r.runs), func(i int) bool { return int64(r.runs[i].end()-dsn) > 0 })
	for len(p.B) > 0 {
		if i == len(r.runs) || int64(r.runs[i].dsn-dsn) > 0 {
			n := len(p.B)
			if i < len(r.runs) {
				n = int(min(uint64(n), r.runs[i].dsn-dsn))
			}
			i = r.put(i, dsn, part(p, n))
			p.B, dsn = p.B[n:], dsn+uint64(n)
			continue
		}
		skip := min(len(p.B), int(r.runs[i].end()-dsn))
		r.dup += uint64(skip)
		p.B, dsn = p.B[skip:], dsn+uint64(skip)
		i++
	}
	p.Release()
}

// Bounds of what small runs cost beside their bytes.
const (
	smallRun = 4 << 10 // bytes; a smaller run is joined to the one that it continues
	fewRuns  = 1024    // a connection may always have as many,
	holeStep = 512     // and one more for each so many bytes of its window
)

// crowded reports whether there are more runs than a window of that many bytes explains: a peer that leaves a hole
// beside every byte must not cost many times its window.
func (r *reassembly) crowded(window int) bool { return len(r.runs) > fewRuns+window/holeStep }

// joined appends a small run to the one before index i when it continues that and both are copies.
func (r *reassembly) joined(i int, dsn uint64, p transport.Payload) bool {
	if i == 0 || p.Buf != nil || len(p.B) >= smallRun {
		return false
	}
	before := &r.runs[i-1]
	if before.p.Buf != nil || before.end() != dsn || len(before.p.B)+len(p.B) > copySize {
		return false
	}
	before.p.B = append(before.p.B, p.B...)
	r.bytes += len(p.B)
	r.copied += len(p.B)
	return true
}

// put inserts a run before index i and returns the index behind it. Beyond compactAbove bytes it copies small runs, so
// that what waits long does not pin read buffers many times its size.
func (r *reassembly) put(i int, dsn uint64, p transport.Payload) int {
	if r.joined(i, dsn, p) {
		return i
	}
	if p.Buf != nil && len(p.B) < filling && r.bytes-r.copied+len(p.B) > compactAbove {
		own := append(make([]byte, 0, len(p.B)), p.B...)
		p.Release()
		p = transport.Payload{B: own}
	}
	r.bytes += len(p.B)
	if p.Buf == nil {
		r.copied += len(p.B)
	}
	r.runs = append(r.runs, held{})
	copy(r.runs[i+1:], r.runs[i:])
	r.runs[i] = held{dsn: dsn, p: p}
	return i + 1
}

// drain appends the runs that are now in order.
func (r *reassembly) drain(out []transport.Payload) []transport.Payload {
	n := 0
	for n < len(r.runs) && r.runs[n].dsn == r.next {
		run := r.runs[n]
		r.next = run.end()
		r.bytes -= len(run.p.B)
		if run.p.Buf == nil {
			r.copied -= len(run.p.B)
		}
		out = append(out, run.p)
		n++
	}
	if n > 0 {
		m := copy(r.runs, r.runs[n:])
		clear(r.runs[m:])
		r.runs = r.runs[:m]
	}
	return out
}

// release gives everything back.
func (r *reassembly) release() {
	for i := range r.runs {
		r.runs[i].p.Release()
	}
	r.runs, r.bytes, r.copied = nil, 0, 0
}

// part is the first n bytes of p, with a hold of its own on the buffer.
func part(p transport.Payload, n int) transport.Payload {
	if p.Buf != nil {
		p.Buf.Retain()
	}
	return transport.Payload{B: p.B[:n:n], Buf: p.Buf}
}
