package plain

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"hawser/transport"
	"hawser/transport/wire"
)

// script is a Socket whose reads are a list; what is written is kept.
type script struct {
	reads   [][]byte // nil: nothing is there until WaitReadable was called, or TryRead
	waiting func()   // called by WaitReadable
	end     chan struct{}
	wrote   []byte
	room    int // bytes that TryWrite takes in all; negative: no limit
	unsent  int
	asked   int // calls of Info
	err     error
}

func newScript(reads ...[]byte) *script {
	return &script{reads: reads, end: make(chan struct{}), room: -1}
}

func (s *script) TryRead(b []byte) (int, error) {
	if len(s.reads) == 0 {
		return 0, ErrAgain
	}
	r := s.reads[0]
	if r == nil {
		s.reads = s.reads[1:]
		return 0, ErrAgain
	}
	n := copy(b, r)
	if s.reads[0] = r[n:]; n == len(r) {
		s.reads = s.reads[1:]
	}
	return n, nil
}

func (s *script) WaitReadable() error {
	if s.waiting != nil {
		s.waiting()
	}
	if len(s.reads) > 0 && s.reads[0] == nil {
		s.reads = s.reads[1:]
	}
	if len(s.reads) > 0 {
		return nil
	}
	<-s.end
	return io.EOF
}

func (s *script) TryWrite(bufs [][]byte) (n int, err error) {
	if s.err != nil {
		return 0, s.err
	}
	for _, b := range bufs {
		k := len(b)
		if s.room >= 0 {
			k = min(k, s.room)
			s.room -= k
		}
		s.wrote = append(s.wrote, b[:k]...)
		n += k
	}
	if n == 0 {
		return 0, ErrAgain
	}
	return n, nil
}

func (s *script) WaitWritable() error        { <-s.end; return net.ErrClosed }
func (s *script) Unsent() int                { return s.unsent }
func (s *script) SetLowat(int)               {}
func (s *script) SetPacing(uint64) error     { return errors.ErrUnsupported }
func (s *script) Info() Info                 { s.asked++; return Info{Segments: uint64(s.asked)} }
func (s *script) CloseWrite() error          { return nil }
func (s *script) Close() error               { return s.Reset() }
func (s *script) LocalAddr() netip.AddrPort  { return netip.AddrPort{} }
func (s *script) RemoteAddr() netip.AddrPort { return netip.AddrPort{} }
func (s *script) Congestion() string         { return "" }
func (s *script) SetReadTimeout(d time.Duration) error {
	if d > 0 {
		return s.Reset() // time is up at once
	}
	return nil
}
func (s *script) Reset() error {
	select {
	case <-s.end:
	default:
		close(s.end)
	}
	return nil
}

// machine is a Subflow on a script, open and established, whose inputs are handled at once.
func machine(t *testing.T, sock *script) *Subflow {
	t.Helper()
	s := newSubflow("test", func(transport.Input) {})
	s.sh.trusted.Store(true)
	s.establish()
	s.start(sock, framer{preface: true, open: true}, nil, nil)
	t.Cleanup(func() { s.Abort(wire.ResetUnspecified) })
	return s
}

// TestIdleReaderHoldsNoBuffer: between records nothing is held; inside one the buffer is.
func TestIdleReaderHoldsNoBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := dataRecord(wire.Mapping{SSN: 1, Len: 5}, "hello")
		for _, trusted := range []bool{true, false} {
			sock := newScript(rec, nil, unsealed.appendRecord(nil, typePing, make([]byte, 8))[:10], nil)
			var held []bool
			r := &reader{
				sock: sock, sh: &shared{done: make(chan struct{})}, post: func(in transport.Input) { in.Release() },
				slots: make(chan struct{}, readAhead), framer: framer{preface: true, open: true},
			}
			r.sh.trusted.Store(trusted)
			sock.waiting = func() { held = append(held, r.mem != nil) }
			go r.run()
			synctest.Wait()
			if len(held) != 2 || held[0] || !held[1] {
				t.Errorf("trusted %v: memory held while waiting: %v", trusted, held)
			}
			close(r.sh.done)
			_ = sock.Reset()
			synctest.Wait()
			if r.mem != nil || r.buf != nil {
				t.Error("memory held at the end")
			}
		}
	})
}

// TestStrangersMemoryGrowsWithBytes: a header that promises much costs nothing.
func TestStrangersMemoryGrowsWithBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := dataRecord(wire.Mapping{SSN: 1, Len: 60000}, string(make([]byte, 60000)))
		sock := newScript(rec[:10], nil, rec[10:3000], nil, rec[3000:], nil)
		var sizes []int
		r := &reader{
			sock: sock, sh: &shared{done: make(chan struct{})}, post: func(in transport.Input) { in.Release() },
			slots: make(chan struct{}, readAhead), framer: framer{preface: true, open: true},
		}
		sock.waiting = func() { sizes = append(sizes, len(r.mem)) }
		go r.run()
		synctest.Wait()
		close(r.sh.done)
		_ = sock.Reset()
		if sizes[0] != strangerMemory || sizes[1] > 8<<10 || sizes[2] != 0 {
			t.Fatalf("memory while waiting: %v", sizes)
		}
	})
}

// TestSplitRecordCostsOneCopy: a record that does not fit the rest of a buffer moves once, and arrives whole.
func TestSplitRecordCostsOneCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var stream []byte
		ssn := uint32(1)
		for range 40 {
			stream = append(stream, dataRecord(wire.Mapping{SSN: ssn, Len: 30000}, string(make([]byte, 30000)))...)
			ssn += 30000
		}
		got, shared := 0, 0
		post := func(in transport.Input) {
			for _, r := range in.(*batch).records {
				got += len(r.Payload.B)
				if r.Payload.Buf != nil {
					shared++
				}
			}
			in.Release()
		}
		s := newSubflow("test", post)
		s.sh.trusted.Store(true)
		s.start(newScript(stream), framer{preface: true, open: true}, nil, nil)
		synctest.Wait()
		if got != 40*30000 || shared != 40 {
			t.Errorf("%d bytes, %d payloads shared", got, shared)
		}
		s.Abort(0)
		synctest.Wait()
	})
}

// TestLongRecordsAreNotCopied: when a long record does not fit the rest of a buffer, no more than a header moves.
func TestLongRecordsAreNotCopied(t *testing.T) {
	const records, payload = 40, 62 << 10
	var stream []byte
	for i := range uint32(records) {
		m := wire.Mapping{SSN: 1 + i*payload, Len: payload}
		stream = append(stream, dataRecord(m, string(make([]byte, payload)))...)
	}
	got := 0
	post := func(in transport.Input) {
		got += len(in.(*batch).records)
		in.Release()
	}
	r := &reader{
		sock: newScript(stream[:headerLen], stream[headerLen:]), sh: &shared{done: make(chan struct{})}, post: post,
		slots: make(chan struct{}, readAhead), framer: framer{preface: true, open: true},
	}
	r.sh.trusted.Store(true)
	for got < records {
		before := r.buf
		r.prepare()
		if r.buf != before && r.end > headerLen {
			t.Fatalf("after %d records, %d bytes were copied", got, r.end)
		}
		if err := r.fill(); err != nil {
			t.Fatal(err)
		}
		if err := r.parse(time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	r.drop()
}

// TestReaderWaitsForTheLoop: a loop that does not come back stops the reader after a few reads.
func TestReaderWaitsForTheLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reads [][]byte
		for range 20 {
			reads = append(reads, unsealed.appendRecord(nil, typePing, make([]byte, 8)))
		}
		var inputs []transport.Input
		s := newSubflow("test", func(in transport.Input) { inputs = append(inputs, in) })
		s.start(newScript(reads...), framer{preface: true, open: true}, nil, nil)
		synctest.Wait()
		if len(inputs) != readAhead {
			t.Errorf("%d inputs wait", len(inputs))
		}
		for i := 0; i < len(inputs); i++ {
			s.Handle(time.Now(), inputs[i])
			synctest.Wait()
		}
		if len(inputs) != 20 {
			t.Errorf("%d inputs in all", len(inputs))
		}
		s.Abort(0)
		synctest.Wait()
	})
}

func TestInfoOnlyWhileDataIsOutstanding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sock := newScript()
		s := machine(t, sock)
		now := time.Now()
		flush := func(d time.Duration) { now = now.Add(d); s.Advance(now); _ = s.Flush(now) }
		flush(time.Second)
		if sock.asked != 0 {
			t.Errorf("asked %d times while idle", sock.asked)
		}
		s.Send(wire.Mapping{DSN: 1}, []byte("abc"))
		for range 400 {
			flush(time.Millisecond / 4)
		}
		if sock.asked != 100 {
			t.Errorf("asked %d times in 100 ms", sock.asked)
		}
		if err := s.ack(now, &ackRecord{Offset: 3}, false); err != nil {
			t.Error(err)
		}
		flush(time.Second)
		if sock.asked != 100 {
			t.Error("asked with nothing outstanding")
		}
	})
}

// TestImpossibleAcknowledgements end the subflow.
func TestImpossibleAcknowledgements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := machine(t, newScript())
		s.Send(wire.Mapping{DSN: 1}, []byte("abc"))
		if err := s.ack(time.Now(), &ackRecord{Offset: 3}, false); err == nil {
			t.Error("acknowledged before it was written")
		}
		_ = s.Flush(time.Now())
		if err := s.ack(time.Now(), &ackRecord{Offset: 3}, false); err != nil {
			t.Error(err)
		}
		for _, offset := range []uint64{4, 2} {
			if err := s.ack(time.Now(), &ackRecord{Offset: offset}, false); err == nil {
				t.Errorf("offset %d accepted", offset)
			}
		}
	})
}

// TestAbortOfAHalfWrittenRecord: the record is not finished, the reason not told, the memory let go.
func TestAbortOfAHalfWrittenRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sock := newScript()
		sock.room = 8 + 50 // the preface and a part of the record
		s := machine(t, sock)
		s.Send(wire.Mapping{DSN: 1}, make([]byte, 1000))
		_ = s.Flush(time.Now())
		if st := s.State(); st.Room != 0 || st.Written != 50-headerLen-dataDSS {
			t.Errorf("%+v", st)
		}
		s.Abort(wire.ResetPerformance)
		if len(sock.wrote) != 58 || s.State().Written != 1000 || s.State().Status != transport.StatusClosed {
			t.Errorf("%d bytes written, %+v", len(sock.wrote), s.State())
		}
		synctest.Wait()
	})
}

// TestRoomComesBackAtOnce: when a full Flush leaves nothing unsent, the loop hears of it.
func TestRoomComesBackAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inputs := 0
		s := newSubflow("test", func(transport.Input) { inputs++ })
		sock := newScript()
		s.start(sock, framer{preface: true, open: true}, nil, nil)
		s.Send(wire.Mapping{DSN: 1}, make([]byte, 100))
		_ = s.Flush(time.Now())
		if inputs != 0 {
			t.Error("woken although there was room")
		}
		b := make([]byte, 1<<20)
		for s.Send(wire.Mapping{DSN: 1}, b) > 0 {
		}
		_ = s.Flush(time.Now())
		if inputs != 1 || s.State().Room == 0 {
			t.Errorf("%d wake-ups, room %d", inputs, s.State().Room)
		}
		s.Abort(0)
		synctest.Wait()
	})
}

// TestWriteErrorWaitsForTheReader: what the peer said before it went is heard first.
func TestWriteErrorWaitsForTheReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var inputs []transport.Input
		s := newSubflow("test", func(in transport.Input) { inputs = append(inputs, in) })
		sock := newScript(unsealed.appendRecord(nil, typeOptions, wire.MPTCPRst{Reason: wire.ResetResources}.Append(nil)))
		sock.err = os.ErrPermission
		s.start(sock, framer{preface: true, open: true}, nil, nil)
		if err := s.Flush(time.Now()); err != nil || s.State().Status != transport.StatusOpen {
			t.Errorf("%v, %+v", err, s.State())
		}
		synctest.Wait()
		for _, in := range inputs {
			s.Handle(time.Now(), in)
		}
		ev, _ := s.Poll()
		last, _ := s.Poll()
		if ev.Kind != transport.EventOption || last.Kind != transport.EventClosed || !errors.Is(last.Err, os.ErrPermission) {
			t.Errorf("%+v, then %+v", ev, last)
		}
		synctest.Wait()
	})
}
