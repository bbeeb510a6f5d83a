package plain_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"hawser/transport"
	"hawser/transport/plain"
	"hawser/transport/plain/plaintest"
	"hawser/transport/wire"
)

// hello is a preface.
const hello = "hwsr\x01\x00\x00\x00"

// raw is a peer that is not ours: bytes in, bytes out.
type raw struct {
	t    testing.TB
	sock plain.Socket
}

// site is a listener in memory, with strangers.
type site struct {
	t    testing.TB
	n    *plaintest.Network
	ln   *plain.Listener
	seen chan transport.Incoming
}

// inSite runs a test against a listener in virtual time.
func inSite(t *testing.T, cfg plain.Config, f func(t *testing.T, s *site)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := plaintest.New(plaintest.Config{})
		n.AddLink("dsl", plaintest.LinkConfig{Delay: 5 * time.Millisecond})
		s := &site{t: t, n: n, ln: n.Acceptor(cfg), seen: make(chan transport.Incoming, 10000)}
		go func() {
			for {
				in, err := s.ln.Accept()
				if err != nil {
					return
				}
				s.seen <- in
			}
		}()
		defer time.Sleep(time.Minute)
		defer func() { _ = s.ln.Close() }()
		f(t, s)
	})
}

// dial connects a stranger from an address.
func (s *site) dial(from string) *raw {
	s.t.Helper()
	p := transport.Path{Uplink: "dsl", Remote: plaintest.Server, Local: netip.MustParseAddr(from)}
	sock, err := s.n.Dial(context.Background(), p)
	if err != nil {
		s.t.Fatal(err)
	}
	return &raw{s.t, sock}
}

func (r *raw) write(b string) {
	r.t.Helper()
	if b == "" {
		return
	}
	if n, err := r.sock.TryWrite([][]byte{[]byte(b)}); err != nil || n != len(b) {
		r.t.Fatalf("wrote %d, %v", n, err)
	}
}

// rest reads to the end.
func (r *raw) rest() (got []byte, err error) {
	for {
		b := make([]byte, 100)
		n, err := r.sock.TryRead(b)
		got = append(got, b[:n]...)
		if errors.Is(err, plain.ErrAgain) {
			err = r.sock.WaitReadable()
		}
		if err != nil {
			return got, err
		}
	}
}

// opening is a client's first flight.
func opening() string {
	return hello + string(plain.AppendOptionsRecord(nil, capable))
}

func TestStrangers(t *testing.T) {
	reset := func(reason wire.ResetReason) string {
		return hello + string(plain.AppendOptionsRecord(nil, wire.MPTCPRst{Reason: reason}))
	}
	damaged := []byte(opening())
	damaged[len(damaged)-1] ^= 1
	for _, c := range []struct {
		name, send, answer string
		counter            func(plain.Stats) uint64
	}{
		{"HTTP", "GET / HTTP/1.1\r\n\r\n", "", func(s plain.Stats) uint64 { return s.NotHawser }},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "", func(s plain.Stats) uint64 { return s.NotHawser }},
		{"another version", "hwsr\x02\x00\x00\x00", hello, func(s plain.Stats) uint64 { return s.Version }},
		{"DATA first", hello + "\x81\x00\x00\x20\x00\x00\x00\x00", reset(wire.ResetProtocol), func(s plain.Stats) uint64 { return s.Malformed }},
		{"long OPTIONS", hello + "\x80\x00\x00\x41\x00\x00\x00\x00", reset(wire.ResetProtocol), func(s plain.Stats) uint64 { return s.Malformed }},
		{"empty OPTIONS", hello + string(plain.AppendOptionsRecord(nil)), reset(wire.ResetProtocol), func(s plain.Stats) uint64 { return s.Malformed }},
		{"damage", string(damaged), reset(wire.ResetMiddlebox), func(s plain.Stats) uint64 { return s.Malformed }},
		{"silence", "", "", func(s plain.Stats) uint64 { return s.Silent }},
		{"half a preface", "hwsr", "", func(s plain.Stats) uint64 { return s.Silent }},
	} {
		t.Run(c.name, func(t *testing.T) {
			inSite(t, plain.Config{}, func(t *testing.T, s *site) {
				start := time.Now()
				r := s.dial("203.0.113.1")
				r.write(c.send)
				got, err := r.rest()
				if string(got) != c.answer {
					t.Errorf("answer %q, want %q", got, c.answer)
				}
				if c.answer != "" && !errors.Is(err, io.EOF) {
					t.Errorf("end %v", err)
				}
				if took := time.Since(start); took > 11*time.Second {
					t.Errorf("took %v", took)
				}
				_ = r.sock.Close()
				time.Sleep(time.Minute)
				st := s.ln.Stats()
				if c.counter(st) != 1 || st.Open != 0 || st.Accepted != 1 || st.Offered != 0 {
					t.Errorf("counted %+v", st)
				}
			})
		})
	}
}

func TestRejectTellsTheReason(t *testing.T) {
	inSite(t, plain.Config{}, func(t *testing.T, s *site) {
		r := s.dial("203.0.113.1")
		r.write(opening())
		(<-s.seen).Reject(wire.ResetProhibited)
		got, err := r.rest()
		want := hello + string(plain.AppendOptionsRecord(nil, wire.MPTCPRst{Reason: wire.ResetProhibited}))
		if string(got) != want || !errors.Is(err, io.EOF) {
			t.Fatalf("%q %v", got, err)
		}
		_ = r.sock.Close()
		time.Sleep(time.Minute)
		if st := s.ln.Stats(); st.Open != 0 || st.Offered != 1 {
			t.Fatalf("%+v", st)
		}
	})
}

func TestAuthenticatedDoNotCount(t *testing.T) {
	inSite(t, plain.Config{Strangers: 5, PerSource: 5}, func(t *testing.T, s *site) {
		var subs []transport.Subflow
		for range 20 {
			s.dial("203.0.113.1").write(opening())
			in := <-s.seen
			subs = append(subs, in.Attach(func(in transport.Input) { in.Release() }))
			in.Authenticated()
			in.Authenticated()
		}
		if st := s.ln.Stats(); st.Open != 0 || st.Authenticated != 20 || st.EvictedSource != 0 {
			t.Fatalf("%+v", st)
		}
		for _, sub := range subs {
			sub.Abort(0)
		}
	})
}

// TestIPv6SourcesAreNetworks: all of a /64 is one source.
func TestIPv6SourcesAreNetworks(t *testing.T) {
	inSite(t, plain.Config{Strangers: 50, PerSource: 4}, func(t *testing.T, s *site) {
		for i := range 20 {
			s.dial(fmt.Sprintf("2001:db8::%x", i+1))
		}
		s.dial("2001:db8:0:1::1")
		time.Sleep(time.Second)
		if st := s.ln.Stats(); st.Open != 5 || st.EvictedSource != 16 {
			t.Fatalf("%+v", st)
		}
	})
}

// TestEarlyRecordsEndASubflow: an accepted peer that has not been established may send nothing but short OPTIONS.
func TestEarlyRecordsEndASubflow(t *testing.T) {
	inSite(t, plain.Config{}, func(t *testing.T, s *site) {
		r := s.dial("203.0.113.1")
		r.write(opening())
		in := <-s.seen
		r.write("\x83\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")
		e := &end{}
		rig := newRig(t)
		rig.ends = append(rig.ends, e)
		e.sub = in.Attach(rig.post(e))
		rig.until("ended", time.Second, func() bool { return e.has(transport.EventClosed) })
		got, _ := r.rest()
		if !bytes.HasSuffix(got, plain.AppendOptionsRecord(nil, wire.MPTCPRst{Reason: wire.ResetProtocol})) {
			t.Fatalf("answer %q", got)
		}
		_ = r.sock.Close()
		time.Sleep(time.Minute)
		if st := s.ln.Stats(); st.Open != 0 {
			t.Fatalf("%+v", st)
		}
	})
}

// TestRecordCutByTheEnd: half a record and then the end of the connection.
func TestRecordCutByTheEnd(t *testing.T) {
	inSite(t, plain.Config{}, func(t *testing.T, s *site) {
		r := s.dial("203.0.113.1")
		r.write(opening() + "\x80\x00\x00\x08")
		_ = r.sock.CloseWrite()
		in := <-s.seen
		e := &end{}
		rig := newRig(t)
		rig.ends = append(rig.ends, e)
		e.sub = in.Attach(rig.post(e))
		rig.until("ended", time.Second, func() bool { return e.has(transport.EventClosed) })
		if err := e.find(transport.EventClosed).Err; !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatal(err)
		}
		_ = r.sock.Close()
	})
}

// poor is a listener without descriptors.
type poor struct {
	errors int
	done   chan struct{}
	times  []time.Time
}

func (p *poor) Accept() (plain.Socket, error) {
	p.times = append(p.times, time.Now())
	if len(p.times) > p.errors {
		<-p.done
		return nil, net.ErrClosed
	}
	return nil, syscall.EMFILE
}
func (p *poor) Close() error         { close(p.done); return nil }
func (p *poor) Addr() netip.AddrPort { return plaintest.Server }

func TestLackOfDescriptorsSlowsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &poor{errors: 12, done: make(chan struct{})}
		ln := plain.NewListenerOn(p, plain.Config{})
		time.Sleep(time.Minute)
		_ = ln.Close()
		synctest.Wait()
		if len(p.times) != 13 || ln.Stats().AcceptErrors != 12 {
			t.Fatalf("%d tries, %+v", len(p.times), ln.Stats())
		}
		if first, last := p.times[1].Sub(p.times[0]), p.times[12].Sub(p.times[11]); first != 5*time.Millisecond || last != time.Second {
			t.Fatalf("waits of %v to %v", first, last)
		}
		if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Fatal(err)
		}
	})
}

// TestClientOfAStranger: what a client says about ports that are not ours.
func TestClientOfAStranger(t *testing.T) {
	for _, c := range []struct {
		name, says string
		want       error
	}{
		{"a web server", "HTTP/1.1 400 Bad Request\r\n", plain.ErrNotHawser},
		{"nothing", "", plain.ErrNotHawser},
		{"a newer version", "hwsr\x07\x00\x00\x00", plain.ErrVersion},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, r *rig) {
				n := plaintest.New(plaintest.Config{})
				n.AddLink("dsl", plaintest.LinkConfig{Delay: time.Millisecond})
				ln := n.Listen(plaintest.Server)
				go func() {
					sock, _ := ln.Accept()
					_ = sock.WaitReadable()
					_, _ = sock.TryRead(make([]byte, 1000))
					_, _ = sock.TryWrite([][]byte{[]byte(c.says)})
					_ = sock.CloseWrite()
				}()
				e := r.end("client")
				e.sub = n.Carrier().Open(transport.Path{Uplink: "dsl", Remote: plaintest.Server}, r.post(e))
				e.sub.Signal(capable)
				r.until("the end", time.Second, func() bool { return e.has(transport.EventClosed) })
				err := e.find(transport.EventClosed).Err
				if !errors.Is(err, c.want) || !bytes.Contains([]byte(err.Error()), []byte(plaintest.Server.String())) {
					t.Fatal(err)
				}
			})
		})
	}
}
