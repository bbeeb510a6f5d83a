package plain

import (
	"fmt"
	"io"

	"hawser/transport"
	"hawser/transport/wire"
)

const (
	// sharedPayload is the smallest payload that refers to the read buffer instead of being copied out of it, and
	// sharedFill is how full the buffer must be: a payload must not pin many times its own size.
	sharedPayload = 4 << 10
	sharedFill    = 32 << 10
	// maxBatch bounds the records of one Input, so that tiny records cannot grow into much memory.
	maxBatch = 512
)

// framer finds records in the bytes of a connection. It owns no memory: parse is given what is there and says how much
// of it was used.
type framer struct {
	preface  bool    // the peer's preface has been read
	open     bool    // the subflow is established: all types are accepted
	client   bool    // an ACK establishes
	received uint64  // payload bytes so far
	seal     *sealer // nil: there are no keys
	level    transport.Protection
	sealed   bool // a sealed record has come: no other may
	joined   bool // the last unsealed message of an MP_JOIN handshake has come
}

// parse takes whole records from b and adds them to dst, at most max. buf is the Buffer that holds b (nil: payloads are
// always copied). n is how much of b was used; when more could be parsed than max allowed, more is true.
func (f *framer) parse(b []byte, buf *transport.Buffer, dst []record, max int) (_ []record, n int, more bool, err error) {
	if !f.preface {
		p, used := consumePreface(b)
		if used < 0 {
			return dst, 0, false, ErrNotHawser
		}
		if used == 0 {
			return dst, 0, false, nil
		}
		if err := p.check(); err != nil {
			return dst, 0, false, err
		}
		f.preface, n = true, used
	}
	for {
		h, used := consumeHeader(b[n:])
		if used == 0 {
			return dst, n, false, nil
		}
		if err := f.admit(h); err != nil {
			return dst, n, false, err
		}
		size := h.whole()
		if len(b)-n < size {
			return dst, n, false, nil
		}
		if len(dst) >= max {
			return dst, n, true, nil
		}
		dst, err = f.take(h, b[n:n+size:n+size], buf, dst)
		if err != nil {
			return dst, n, false, err
		}
		n += size
	}
}

// admit says whether a record may come now, from its header alone: nothing of a refused value is ever held.
func (f *framer) admit(h header) error {
	if !h.Type.checkLen(h.Len) {
		return altered("%v record with %d bytes", h.Type, h.Len)
	}
	if err := f.admitSeal(h); err != nil || f.open {
		return err
	}
	if h.Type == typeOptions && h.Len <= earlyOptions {
		return nil
	}
	if f.client && h.Type == typeAck {
		return nil
	}
	return misused("%v record with %d bytes before the subflow was established", h.Type, h.Len)
}

// take verifies and parses one whole record.
func (f *framer) take(h header, rec []byte, buf *transport.Buffer, dst []record) ([]record, error) {
	if err := f.verify(h, rec); err != nil {
		return dst, err
	}
	value := rec[h.Size : h.Size+h.Len]
	r := record{Type: h.Type, Sealed: h.Sealed}
	var err error
	switch h.Type {
	case typeOptions:
		if err = r.parseOptions(value); err == nil {
			err = f.admitOptions(&r)
		}
	case typeData:
		err = f.parseData(&r, value, buf)
	case typeAck:
		if consumeAck(value, &r.Ack) < 0 {
			err = altered("malformed ACK record")
		}
		f.open = true
	case typePad:
	case typePing, typePong:
		copy(r.Token[:], value)
	default:
		if h.Type >= typeCritical {
			return dst, misused("record of unknown %v", h.Type)
		}
		return dst, nil // protocol.md §1.2: to be skipped
	}
	if err != nil {
		return dst, err
	}
	return append(dst, r), nil
}

func (r *record) parseOptions(value []byte) error {
	var n int
	r.Options, n = wire.ConsumeOptions(value, nil)
	if n < 0 {
		return altered("malformed OPTIONS record")
	}
	return nil
}

// parseData checks that the mapping continues where the one before ended and fits its payload.
func (f *framer) parseData(r *record, value []byte, buf *transport.Buffer) error {
	var d wire.DSS
	n := d.Consume(value)
	if n < 0 || !d.HasMap || !d.DSNWide || d.HasSum || d.Infinite {
		return altered("DATA record without a proper mapping")
	}
	payload := value[n:]
	r.Map = d.Map
	if int(d.Map.Len) != len(payload) {
		return altered("mapping of %d bytes on a payload of %d", d.Map.Len, len(payload))
	}
	if want := f.nextSSN(len(payload)); d.Map.SSN != want {
		return altered("mapping starts at subflow byte %d instead of %d", d.Map.SSN, want)
	}
	f.received += uint64(len(payload))
	r.Payload = share(payload, buf)
	return nil
}

// nextSSN is the subflow sequence number that a DATA record of n payload bytes must have (protocol.md §1.4).
func (f *framer) nextSSN(n int) uint32 {
	if n == 0 {
		return 0
	}
	return uint32(f.received + 1)
}

// share makes a Payload of b, which lies in buf: a reference when that pins little beyond it, else a copy.
func share(b []byte, buf *transport.Buffer) transport.Payload {
	if len(b) == 0 {
		return transport.Payload{}
	}
	if buf == nil || len(b) < sharedPayload {
		return transport.Payload{B: append(make([]byte, 0, len(b)), b...)}
	}
	buf.Retain()
	return transport.Payload{B: b, Buf: buf}
}

// atEnd is the error of a connection that ended with rest unused; nil when it ended between records.
func (f *framer) atEnd(rest int) error {
	switch {
	case !f.preface && rest == 0:
		return fmt.Errorf("%w: it closed the connection without an answer; is this its plain port?", ErrNotHawser)
	case !f.preface:
		return ErrNotHawser
	case rest > 0:
		return fmt.Errorf("the connection ended inside a record: %w", io.ErrUnexpectedEOF)
	}
	return nil
}
