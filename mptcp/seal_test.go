package mptcp

import (
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"hawser/transport"
	"hawser/transport/wire"
)

// TestUplinkThatForgesRecords: an uplink that carries a subflow, the first or a joined one, cannot end or spoil the session
// with records of its own. Without the seal it can.
func TestUplinkThatForgesRecords(t *testing.T) {
	for name, forge := range map[string]func(*wire.DSS) []byte{"end": forgedEnd, "data": forgedData} {
		for _, uplink := range []int{0, 1} {
			if got, want := transferOver(t, 2, uplink, forge, authenticate); got != want {
				t.Errorf("%s forged on uplink %d: the stream came to harm", name, uplink)
			}
		}
		unsealed := func(client, server *Conn) {
			_ = server.Authenticate("client", client.InitialID(), time.Minute)
			_ = client.Authenticate("", 0, time.Minute)
		}
		if got, want := transferOver(t, 1, 0, forge, unsealed); got == want {
			t.Errorf("%s forged: without the seal the stream came through", name)
		}
	}
}

// TestNoncesComeOnce: the keys of joined subflows are made of them.
func TestNoncesComeOnce(t *testing.T) {
	k, err := newCore(Config{}.withDefaults(), newConn(nil), true, NewKey())
	if err != nil {
		t.Fatal(err)
	}
	const joins = 1 << 18 // random ones would come twice eight times
	seen := make(map[uint32]bool, joins)
	for ; k.nextSub < joins; k.nextSub++ {
		seen[k.nonce()] = true
	}
	if len(seen) != joins {
		t.Errorf("%d nonces for %d subflows", len(seen), joins)
	}
	other, err := newCore(Config{}.withDefaults(), newConn(nil), true, NewKey())
	if err != nil {
		t.Fatal(err)
	}
	if k.nextSub = 0; k.nonce() == other.nonce() {
		t.Error("two connections begin with the same nonce")
	}
}

// TestPathPutsInDataBeforeTheSeal: what a path has put in before an end is sealed, at the place of bytes that the peer has
// yet to send or of the end of its stream, is not read as the peer's.
func TestPathPutsInDataBeforeTheSeal(t *testing.T) {
	ahead := func(d *wire.DSS) []byte {
		m := wire.Mapping{DSN: d.Map.DSN + uint64(d.Map.Len) + 100, SSN: d.Map.SSN + uint32(d.Map.Len), Len: 3}
		return plainRecord(0x81, append(wire.AppendDSS(nil, &wire.DSS{HasMap: true, DSNWide: true, Map: m}), "lie"...))
	}
	far := func(d *wire.DSS) []byte { // in the circle of sequence numbers everything before it is behind it
		m := wire.Mapping{DSN: d.Map.DSN + uint64(d.Map.Len) + 3 + 1<<63 - 1, Fin: true}
		return append(forgedData(d), plainRecord(0x81, wire.AppendDSS(nil, &wire.DSS{HasMap: true, DSNWide: true, Map: m}))...)
	}
	inside := func(d *wire.DSS) []byte {
		m := wire.Mapping{DSN: d.Map.DSN + uint64(d.Map.Len) + 2, Fin: true}
		return plainRecord(0x81, wire.AppendDSS(nil, &wire.DSS{HasMap: true, DSNWide: true, Map: m}))
	}
	for _, c := range []struct {
		name  string
		forge func(*wire.DSS) []byte
		more  string // that the handshake has after it
	}{
		{"next", forgedData, ""},
		{"ahead", ahead, ""},
		{"end", forgedEnd, ""},
		{"next, and an end far ahead", far, ""},
		{"end inside the handshake", inside, "TLS."},
	} {
		for _, up := range []bool{true, false} {
			if err := handshakeOver(t, c.forge, c.more, up, true); !errors.Is(err, ErrTampered) {
				t.Errorf("%s (of the client: %v): %v, want ErrTampered", c.name, up, err)
			}
			if err := handshakeOver(t, c.forge, c.more, up, false); err != nil {
				t.Errorf("%s (of the client: %v), without keys: %v, and so the test shows nothing", c.name, up, err)
			}
		}
	}
}

// handshakeOver lets one end send four bytes before it is authenticated, and a path some of its own behind them. The error
// is what the other end says when it authenticates its peer.
func handshakeOver(t *testing.T, forge func(*wire.DSS) []byte, more string, up, bound bool) error {
	t.Helper()
	l := newLoopback(t, 1, Config{})
	f := newForger(t, 0, forge)
	f.up, f.mute = up, true
	l.through(f, 0)
	peer, end := l.connect()
	if !up {
		peer, end = end, peer
	}
	_ = end.SetReadDeadline(time.Now().Add(5 * time.Second))
	l.tell(peer, end, "TLS.")
	<-f.done
	for came := false; !came; time.Sleep(time.Millisecond) {
		end.settled(func(k *core, _ time.Time) { came = k.recv.next+uint64(k.recv.bytes) > k.inDSN+4 || k.fin.peerKnown })
	}
	time.Sleep(5 * time.Millisecond) // for the second of two records
	l.tell(peer, end, more)
	if bound {
		end.Bind([]byte("secret"), false)
	}
	return end.Authenticate("peer", 0, time.Minute)
}

// TestWindowWithoutASealEndsWithTheHandshake: a path cannot make an end send what its peer has no room for.
func TestWindowWithoutASealEndsWithTheHandshake(t *testing.T) {
	l := newLoopback(t, 1, Config{})
	f := newForger(t, 0, nil)
	var una atomic.Uint64 // of the client
	f.forge = func(*wire.DSS) []byte {
		ack := append(make([]byte, 16), 0xff, 0xff, 0xff, 0xff) // nothing of the subflow, a window of 4 GB
		return plainRecord(0x82, wire.AppendDSS(ack, &wire.DSS{HasAck: true, AckWide: true, Ack: una.Load()}))
	}
	l.through(f, 0)
	client, server := l.connect()
	una.Store(client.core.local.IDSN() + 1)
	_ = client.SetReadDeadline(time.Now().Add(5 * time.Second))
	l.tell(server, client, "TLS.")
	<-f.done
	time.Sleep(20 * time.Millisecond)
	var edge uint64
	client.settled(func(k *core, _ time.Time) { edge = k.edge })
	if n := edge - una.Load(); n == 0 || n > strangerBytes {
		t.Errorf("the client may send %d bytes, at most %d before the welcome", n, strangerBytes)
	}
	authenticate(client, server)
	exchange(t, client, server, 1<<20)
}

// TestUnsealedOptionsEndWithTheHandshake, also those that were read before and wait for the loop.
func TestUnsealedOptionsEndWithTheHandshake(t *testing.T) {
	l := newLoopback(t, 1, Config{})
	_, server := l.pair()
	l.waitSubflows(server, 1)
	for _, sealed := range []bool{false, true} {
		var got bool
		server.settled(func(k *core, now time.Time) {
			prio := wire.MPPrio{Backup: true}
			k.event(now, k.subs[0], transport.Event{Kind: transport.EventOption, Option: prio, Sealed: sealed})
			got = k.subs[0].peerBackup
		})
		if got != sealed {
			t.Errorf("MP_PRIO, sealed: %v, is obeyed: %v", sealed, got)
		}
	}
}

// TestPathForgesThePriorityOfTheFirstSubflow: a path cannot make a backup of a regular uplink, nor have bytes that cost money
// sent over one that is a backup.
func TestPathForgesThePriorityOfTheFirstSubflow(t *testing.T) {
	for _, backup := range []bool{false, true} {
		l := newLoopback(t, 1, Config{})
		f := newForger(t, 0, func(*wire.DSS) []byte {
			return plainRecord(0x80, wire.MPPrio{Backup: !backup}.Append(nil))
		})
		f.up = true
		way := l.source.Paths()[0]
		way.Backup = backup
		l.source.set([]transport.Path{way})
		l.through(f, 0)
		client, server := l.connect()
		for _, part := range []string{"TLS.", "more"} { // what was forged lies between them
			l.tell(client, server, part)
			<-f.done
		}
		authenticate(client, server)
		l.tell(client, server, "mux") // MP_PRIO lies before it
		want := StateActive
		if backup {
			want = StateBackup
		}
		if st := server.Stats().Subflows; len(st) != 1 || st[0].State != want {
			t.Errorf("backup: %v; the server has %+v, want it %s", backup, st, want)
		}
	}
}

// TestPathMakesABackupOfAJoin: no HMAC covers the flag in the server's answer.
func TestPathMakesABackupOfAJoin(t *testing.T) {
	l := newLoopback(t, 2, Config{})
	f := newForger(t, 1<<30, nil)
	altered := make(chan struct{}, 100)
	f.alter = func(kind byte, value []byte) {
		if kind == 0x80 && len(value) == 16 && value[2] == 0x10 { // the SYN/ACK of MP_JOIN
			value[2] |= 1
			altered <- struct{}{}
		}
	}
	client, server := l.joinThrough(f, 1, authenticate)
	<-altered
	l.waitSubflows(client, 2) // regular ones
	exchange(t, client, server, 1<<20)
}

// TestPathThatRenamesAnUplink: whoever is on the path of a join cannot make it one of another uplink, whose subflow it
// would replace.
func TestPathThatRenamesAnUplink(t *testing.T) {
	l := newLoopback(t, 2, Config{})
	f := newForger(t, 1<<30, nil)
	f.up = true
	renamed := make(chan struct{}, 100)
	f.alter = func(kind byte, value []byte) {
		if kind == 0x80 && len(value) == 12 && value[2] == 0x10 { // the SYN of MP_JOIN
			value[3] = 1 // the first uplink
			renamed <- struct{}{}
		}
	}
	client, server := l.joinThrough(f, 1, authenticate)
	<-renamed
	<-renamed // the first is over
	first := false
	for _, s := range server.Stats().Subflows {
		if (s.State == StateActive) != (s.ID == "0") {
			t.Errorf("%+v, want the first subflow alone", s)
		}
		first = first || s.ID == "0"
	}
	if !first {
		t.Error("the first subflow was replaced")
	}
	exchange(t, client, server, 1<<20)
}

// transferOver sends from the server to the client while one of the uplinks forges; the sums of what came and of what was
// sent.
func transferOver(t *testing.T, uplinks, uplink int, forge func(*wire.DSS) []byte, establish func(client, server *Conn)) (got, want [32]byte) {
	t.Helper()
	l := newLoopback(t, uplinks, Config{})
	f := newForger(t, 20<<10, forge)
	client, server := l.joinThrough(f, uplink, establish)
	sent := make(chan [32]byte, 1)
	go func() { sent <- write(server, f.done) }()
	_ = client.SetReadDeadline(time.Now().Add(20 * time.Second))
	sum := sha256.New()
	_, _ = io.Copy(sum, client)
	stop(client, server)
	return [32]byte(sum.Sum(nil)), <-sent
}

// write sends noise until the forger has had its turn, and some more; the sum of it.
func write(c *Conn, done <-chan struct{}) [32]byte {
	sum, rng := sha256.New(), rand.NewChaCha8([32]byte{7})
	b := make([]byte, 8<<10)
	for more := 64; more > 0; {
		select {
		case <-done:
			more--
		default:
		}
		_, _ = rng.Read(b)
		sum.Write(b)
		if _, err := c.Write(b); err != nil {
			break
		}
	}
	_ = c.CloseWrite()
	return [32]byte(sum.Sum(nil))
}
