package plain

import (
	"errors"
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"time"

	"hawser/transport"
)

const (
	// readAhead is how many reads may wait for the loop: received data is always drained, but a loop that is busy
	// must not find the inbox without bound.
	readAhead = 4
	// goOn is the free space of a buffer that is still worth a read, and what must be missing of a record so that a
	// read ends with it.
	goOn = 32 << 10
	// strangerMemory is the first size of an untrusted connection's buffer, bytes; it grows with what arrives.
	strangerMemory = 512
)

// shared is what the loop tells the reading goroutine.
type shared struct {
	established atomic.Bool                // records of all types are accepted
	trusted     atomic.Bool                // pooled buffers may be held: the peer is authenticated, or we have dialled it
	done        chan struct{}              // closed when the loop wants no more
	protection  atomic.Pointer[protection] // nil: none
	linger      atomic.Bool                // set before done: drain until the peer closes too, or the read deadline
}

// reader is the reading goroutine of a socket. It owns everything here; it closes the socket at its end.
type reader struct {
	sock  Socket
	sh    *shared
	post  transport.Post
	slots chan struct{}
	after func() // called when the socket is closed; may be nil

	framer framer
	buf    *transport.Buffer // pooled memory; nil: mem is our own
	mem    []byte
	start  int // mem[start:end] is not parsed yet
	end    int

	drained bool // the last read left nothing behind: ask before the next one
}

// run reads until the connection or its owner ends.
func (r *reader) run() {
	err := r.parse(time.Now()) // what was read before the owner came
	for err == nil {
		if err = r.fill(); err == nil {
			err = r.parse(time.Now())
		}
	}
	r.last(err)
	<-r.sh.done
	r.close()
}

// last posts how the connection ended.
func (r *reader) last(err error) {
	if errors.Is(err, errDone) {
		return
	}
	b := batches.Get().(*batch)
	b.at = time.Now()
	switch {
	case errors.Is(err, io.EOF):
		b.fin, b.err = true, r.framer.atEnd(r.end-r.start)
	case errors.Is(err, net.ErrClosed): // not by the owner: by the listener
		b.err = errEvicted
	default:
		b.err = err
	}
	r.drop()
	_ = r.hand(b)
}

// close ends the socket: at once, or after the peer has read what it was told.
func (r *reader) close() {
	r.drop()
	if r.sh.linger.Load() && r.drain() {
		_ = r.sock.Close()
	} else {
		_ = r.sock.Reset()
	}
	if r.after != nil {
		r.after()
	}
}

// drain throws away what still arrives until the peer has half-closed too; false when it did not in time.
func (r *reader) drain() bool {
	var waste [2048]byte
	for end := time.Now().Add(lingerTime); time.Now().Before(end); {
		_, err := r.sock.TryRead(waste[:])
		if errors.Is(err, ErrAgain) {
			err = r.sock.WaitReadable()
		}
		if err != nil {
			return errors.Is(err, io.EOF)
		}
	}
	return false
}

var (
	errDone    = errors.New("the owner has gone")
	errEvicted = errors.New("closed to make room: too many connections of strangers")
)

// fill reads once, and waits for that without holding more than a record that is under way. After a read that did not
// fill its buffer it waits first: WaitReadable asks the system anyway, and a read that finds nothing is a call more.
func (r *reader) fill() error {
	for {
		if !r.drained {
			r.prepare()
			space := r.mem[r.end:r.until()]
			n, err := r.sock.TryRead(space)
			if err == nil {
				r.end += n
				r.drained = n < len(space)
				return nil
			}
			if !errors.Is(err, ErrAgain) {
				return err
			}
		}
		if r.start == r.end {
			r.drop()
		}
		if err := r.sock.WaitReadable(); err != nil {
			return err
		}
		r.drained = false
	}
}

// prepare sees to memory for the next read: behind what is there when the record under way fits, else at the start of
// a new buffer, which is the only copy that a split record costs.
func (r *reader) prepare() {
	if !r.sh.trusted.Load() {
		r.prepareOwn()
		return
	}
	if r.buf != nil && r.fits() {
		return
	}
	next := transport.GetBuffer()
	n := copy(next.B, r.mem[r.start:r.end])
	r.drop()
	r.buf, r.mem, r.end = next, next.B, n
}

// fits says whether the record under way, or else a worthwhile read, fits behind r.end.
func (r *reader) fits() bool {
	if r.start == r.end {
		return len(r.mem)-r.end >= goOn
	}
	h, n := consumeHeader(r.mem[r.start:r.end])
	if n == 0 {
		return len(r.mem)-r.start >= maxRecord
	}
	return len(r.mem)-r.start >= h.whole()
}

// until is where the next read ends. While much of a record is missing, that is behind the header of the record after it:
// the next one then begins in this buffer or, if it does not fit, in another one, with no more than a header to copy.
func (r *reader) until() int {
	h, n := consumeHeader(r.mem[r.start:r.end])
	if n == 0 {
		return len(r.mem)
	}
	end := r.start + h.whole()
	if end-r.end < goOn {
		return len(r.mem)
	}
	return min(end+headerLen, len(r.mem))
}

// prepareOwn is prepare for a peer that is not trusted: memory grows with the bytes that have arrived, never with what
// a header promises, up to one record.
func (r *reader) prepareOwn() {
	if r.start > 0 {
		r.end = copy(r.mem, r.mem[r.start:r.end])
		r.start = 0
	}
	if r.end == len(r.mem) {
		next := make([]byte, min(max(strangerMemory, 2*len(r.mem)), maxRecord))
		copy(next, r.mem)
		r.mem = next
	}
}

// drop gives memory back.
func (r *reader) drop() {
	if r.buf != nil {
		r.buf.Release()
	}
	r.buf, r.mem, r.start, r.end = nil, nil, 0, 0
}

// parse posts the records that are whole. It looks at what the loop has to tell only after the read: the loop sets it
// before it tells the peer.
func (r *reader) parse(at time.Time) error {
	if r.sh.established.Load() {
		r.framer.open = true
	}
	if p := r.sh.protection.Load(); p != nil {
		r.framer.seal, r.framer.level = p.seal, p.level
	}
	for more := true; more; {
		b := batches.Get().(*batch)
		var buf *transport.Buffer
		if r.end >= sharedFill {
			buf = r.buf
		}
		var n int
		var err error
		b.at = at
		b.records, n, more, err = r.framer.parse(r.mem[r.start:r.end], buf, b.records, maxBatch)
		r.start += n
		if len(b.records) == 0 {
			b.Release()
		} else if err := r.hand(b); err != nil {
			return err
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// hand posts a batch once the loop is not too far behind.
func (r *reader) hand(b *batch) error {
	select {
	case <-r.sh.done:
		b.Release()
		return errDone
	default:
	}
	select {
	case r.slots <- struct{}{}:
		b.slots = r.slots
		r.post(b)
		if r.drained {
			runtime.Gosched() // the loop first: there is nothing more to read yet
		}
		return nil
	case <-r.sh.done:
		b.Release()
		return errDone
	}
}
