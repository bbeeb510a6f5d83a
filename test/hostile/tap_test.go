package hostile

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"hawser/mptcp"
	"hawser/test/program"
	"hawser/transport/wire"
)

// tap is a hostile path: it sits between client and server, reads all that passes and may change it.
type tap struct {
	addr   netip.AddrPort
	server netip.AddrPort

	mu    sync.Mutex
	lines []*tapped
}

// direction is who sends.
type direction int

const (
	up   direction = iota // from the client
	down                  // from the server
)

// tapped is one connection. Its tap's mutex guards it.
type tapped struct {
	ends   [2]net.Conn // by who sends there: the client's, the server's
	keys   [2]mptcp.Key
	inject [2][]byte // before the next record
	damage [2]bool   // of the next record with data
	seen   [2][]byte // records with data
}

// newTap listens in the server's place.
func newTap(t *testing.T, server netip.AddrPort) *tap {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tp := &tap{addr: addrPort(ln.Addr()), server: server}
	t.Cleanup(func() {
		_ = ln.Close()
		tp.cut()
	})
	go func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			go tp.join(client)
		}
	}()
	return tp
}

func (tp *tap) join(client net.Conn) {
	server, err := net.Dial("tcp", tp.server.String())
	if err != nil {
		_ = client.Close()
		return
	}
	l := &tapped{ends: [2]net.Conn{client, server}}
	tp.mu.Lock()
	tp.lines = append(tp.lines, l)
	tp.mu.Unlock()
	go tp.pass(l, up)
	tp.pass(l, down)
}

// pass moves preface and records of one direction until either end is gone.
func (tp *tap) pass(l *tapped, d direction) {
	from, to := l.ends[d], l.ends[1-d]
	defer from.Close()
	defer to.Close()
	r := bufio.NewReader(from)
	if _, err := io.CopyN(to, r, int64(len(goodPreface))); err != nil {
		return
	}
	for {
		head, err := r.Peek(4)
		if err != nil {
			return
		}
		size, tag := layout(head)
		rec := make([]byte, size+int(binary.BigEndian.Uint16(head[2:]))+tag)
		if _, err := io.ReadFull(r, rec); err != nil {
			return
		}
		if _, err := to.Write(tp.alter(l, d, rec)); err != nil {
			return
		}
	}
}

// layout is the size of a record's header and of what is behind its value: a sealed one has a tag there and no CRC.
func layout(rec []byte) (head, tag int) {
	if rec[1]&1 != 0 {
		return 4, 16
	}
	return 8, 0
}

// alter is what becomes of a record.
func (tp *tap) alter(l *tapped, d direction, rec []byte) []byte {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	if rec[0] == recOptions {
		head, tag := layout(rec)
		l.note(d, rec[head:len(rec)-tag])
	}
	if rec[0] == recData {
		l.seen[d] = append(l.seen[d], rec...)
	}
	if l.damage[d] && rec[0] == recData {
		l.damage[d] = false
		rec = damaged(rec)
	}
	rec = append(l.inject[d], rec...)
	l.inject[d] = nil
	return rec
}

// note remembers the keys, which travel in clear.
func (l *tapped) note(d direction, value []byte) {
	list, _ := wire.ConsumeOptions(value, nil)
	for _, o := range list {
		if c, ok := o.(wire.MPCapable); ok && c.Stage >= wire.StageSYNACK {
			l.keys[d] = mptcp.Key(c.SenderKey)
		}
	}
}

// each calls f for every connection there has been, under the lock.
func (tp *tap) each(f func(*tapped)) {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	for _, l := range tp.lines {
		f(l)
	}
}

// cut breaks all connections.
func (tp *tap) cut() {
	tp.each(func(l *tapped) {
		_ = l.ends[up].Close()
		_ = l.ends[down].Close()
	})
}

// sessions are the keys of all that the path has seen being opened.
func (tp *tap) sessions() (keys [][2]mptcp.Key) {
	tp.each(func(l *tapped) {
		if l.keys[up] != 0 && l.keys[down] != 0 {
			keys = append(keys, l.keys)
		}
	})
	return keys
}

// newTappedWorld is newWorld with a hostile path.
func newTappedWorld(t *testing.T) (*world, *tap) {
	t.Helper()
	site, echo := program.NewSite(t, "127.0.0.1"), newEcho(t)
	site.Join("home")
	w := &world{site: site, echo: echo}
	w.server = site.StartServer(program.Options{Env: []string{"HAWSER_LOG_LEVEL=debug"}})
	w.plain = w.server.PlainAddr()
	tp := newTap(t, w.plain)
	w.client = site.StartClient("home", tp.addr, program.Options{Env: []string{"HAWSER_LOG_LEVEL=debug"}})
	w.proxy = w.client.ProxyAddr()
	w.client.AwaitHealthy()
	return w, tp
}

// joinWith joins the session of the keys seen; hmac makes the third message of what the server has answered.
func (w *world) joinWith(t *testing.T, keys [2]mptcp.Key, hmac func(answer wire.MPJoin, nonce uint32) [20]byte) *peer {
	t.Helper()
	const nonce = 0x01020304
	p := w.newPeer(t, connected)
	syn := wire.MPJoin{Stage: wire.StageSYN, AddressID: 9, Token: keys[down].Token(), Nonce: nonce}
	say(t, p, append(goodPreface[:8:8], options(syn)...))
	p.hearPreface()
	answer, ok := p.hearOption().(wire.MPJoin)
	if !ok || answer.Stage != wire.StageSYNACK {
		t.Fatalf("%v, want MP_JOIN with the server's HMAC", answer)
	}
	if rfc := mptcp.JoinHMAC(keys[down], keys[up], nil, answer.Nonce, nonce); string(rfc[:8]) == string(answer.HMAC[:8]) {
		t.Error("the server's HMAC is made of the keys that everybody saw, without the binding")
	}
	if hmac != nil {
		say(t, p, options(wire.MPJoin{Stage: wire.StageACK, HMAC: hmac(answer, nonce)}))
	}
	return p
}

// TestPathCannotReadWhatIsSaid, neither the application's bytes nor where they go.
func TestPathCannotReadWhatIsSaid(t *testing.T) {
	w, tp := newTappedWorld(t)
	phrase := []byte("what nobody on the path is to know; ")
	conn := mustConnect(t, w.proxy, w.echo)
	_ = conn.SetDeadline(time.Now().Add(program.Patience))
	for _, times := range []int{1, 5_000} {
		said := bytes.Repeat(phrase, times)
		go func() { _, _ = conn.Write(said) }()
		if got := hear(t, conn, len(said)); !bytes.Equal(got, said) {
			t.Fatal("the target's answer is another")
		}
	}
	_ = conn.Close()
	var seen [2]int
	tp.each(func(l *tapped) {
		for _, d := range []direction{up, down} {
			seen[d] += len(l.seen[d])
			for _, secret := range [][]byte{phrase[:12], phrase[12:24], phrase[24:]} {
				if bytes.Contains(l.seen[d], secret) {
					t.Errorf("direction %d: the path reads %q", d, secret)
				}
			}
		}
	})
	if least := 5_000 * len(phrase); seen[up] < least || seen[down] < least {
		t.Errorf("the path has seen %d bytes, the session sent %d each way", seen, least)
	}
}

func TestPathThatSawTheKeysCannotJoin(t *testing.T) {
	t.Parallel() // it waits for time-outs
	w, tp := newTappedWorld(t)
	running := w.transfer(t)
	sessions := tp.sessions()
	if len(sessions) < 2 {
		t.Fatalf("the path has seen %d sessions being opened, want 2", len(sessions))
	}
	left := w.joinWith(t, sessions[0], nil) // and then says nothing: see below
	started := time.Now()
	for name, hmac := range map[string]func(keys [2]mptcp.Key) func(wire.MPJoin, uint32) [20]byte{
		"of the keys alone": func(keys [2]mptcp.Key) func(wire.MPJoin, uint32) [20]byte {
			return func(a wire.MPJoin, nonce uint32) (h [20]byte) {
				sum := mptcp.JoinHMAC(keys[up], keys[down], nil, nonce, a.Nonce)
				copy(h[:], sum[:])
				return h
			}
		},
		"of a guessed binding": func(keys [2]mptcp.Key) func(wire.MPJoin, uint32) [20]byte {
			return func(a wire.MPJoin, nonce uint32) (h [20]byte) {
				sum := mptcp.JoinHMAC(keys[up], keys[down], make([]byte, 32), nonce, a.Nonce)
				copy(h[:], sum[:])
				return h
			}
		},
		"of zeros": func([2]mptcp.Key) func(wire.MPJoin, uint32) [20]byte {
			return func(wire.MPJoin, uint32) (h [20]byte) { return h }
		},
		"reflected": func([2]mptcp.Key) func(wire.MPJoin, uint32) [20]byte {
			return func(a wire.MPJoin, _ uint32) (h [20]byte) {
				copy(h[:], a.HMAC[:8])
				return h
			}
		},
	} {
		for _, keys := range sessions {
			t.Log("# HMAC", name)
			w.joinWith(t, keys, hmac(keys)).wantReset(wire.ResetProtocol)
			running.moves(t)
		}
	}
	p := w.joinWith(t, sessions[0], nil)
	say(t, p, data(sessions[0][up].IDSN()+1, 1, 4, []byte("data")))
	p.wantReset(wire.ResetProtocol)

	_ = left.SetDeadline(started.Add(patience))
	ending(t, left)
	running.finish(t)
	wantAlive(t, w)
}

func TestPathThatAltersDataHarmsItselfOnly(t *testing.T) {
	w, tp := newTappedWorld(t)
	before := sessionIDs(w)
	running := w.transfer(t)
	for _, d := range []direction{up, down} {
		t.Log("# damaged data")
		mark := w.client.Mark()
		tp.each(func(l *tapped) { l.damage[d] = true })
		w.client.AwaitAfter(mark, `"state":"dead"`)
		running.moves(t)

		t.Log("# MP_FASTCLOSE with the receiver's key, as RFC 8684 has it")
		tp.each(func(l *tapped) {
			if l.keys[d] != 0 {
				l.inject[d] = options(wire.MPFastclose{Key: uint64(l.keys[1-d])}, wire.MPTCPRst{})
			}
		})
		running.moves(t)

		t.Log("# cut")
		tp.cut()
		running.moves(t)
	}
	running.finish(t)
	// Others may have been established meanwhile, to be free of bulk.
	if after := sessionIDs(w); !strings.HasPrefix(after, before) {
		t.Errorf("sessions %s, before the attacks %s", after, before)
	}
	if w.server.Logged("session ended") {
		t.Error("the path has ended a session")
	}
	wantAlive(t, w)
}

// sessionIDs are the client's sessions, the oldest first.
func sessionIDs(w *world) (ids string) {
	for _, s := range w.client.Status().Sessions {
		ids += " " + s.ID
	}
	return ids
}
