package mptcp

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"hawser/transport/wire"
)

// A forger is an uplink that reads the records which the server sends and puts some of its own between them, with a right
// CRC, as anybody can who has read docs/protocol.md.
type forger struct {
	ln    net.Listener
	after int // bytes of the server's that pass before
	forge func(dss *wire.DSS) []byte
	once  sync.Once
	done  chan struct{} // closed when it has forged
}

func newForger(t testing.TB, after int, forge func(dss *wire.DSS) []byte) *forger {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return &forger{ln: ln, after: after, forge: forge, done: make(chan struct{})}
}

// serve passes connections on to the server.
func (f *forger) serve(server net.Addr) {
	for {
		c, err := f.ln.Accept()
		if err != nil {
			return
		}
		s, err := net.Dial("tcp", server.String())
		if err != nil {
			_ = c.Close()
			continue
		}
		go func() {
			_, _ = io.Copy(s, c)
			_ = s.(*net.TCPConn).CloseWrite()
		}()
		go func() {
			f.pass(c, s)
			_ = c.Close()
			_ = s.Close()
		}()
	}
}

// pass copies records to the client.
func (f *forger) pass(to io.Writer, from io.Reader) {
	if _, err := io.CopyN(to, from, 8); err != nil { // preface
		return
	}
	for passed := 0; ; {
		b := make([]byte, 4, 4+0xffff+16)
		if _, err := io.ReadFull(from, b); err != nil {
			return
		}
		head, rest := 8, 4
		if b[1]&1 != 0 {
			head, rest = 4, 16
		}
		b = b[:4+int(binary.BigEndian.Uint16(b[2:]))+rest]
		if _, err := io.ReadFull(from, b[4:]); err != nil {
			return
		}
		if _, err := to.Write(b); err != nil {
			return
		}
		passed += len(b)
		var d wire.DSS
		if b[0] == 0x81 && passed > f.after && d.Consume(b[head:]) > 0 {
			f.once.Do(func() {
				_, _ = to.Write(f.forge(&d))
				close(f.done)
			})
		}
	}
}

// forged is a record with a CRC.
func forged(kind byte, value []byte) []byte {
	b := append([]byte{kind, 0, 0, 0}, 0, 0, 0, 0)
	binary.BigEndian.PutUint16(b[2:], uint16(len(value)))
	table := crc32.MakeTable(crc32.Castagnoli)
	binary.BigEndian.PutUint32(b[4:], crc32.Update(crc32.Checksum(b[:4], table), table, value))
	return append(b, value...)
}

// forgedEnd is a lone DATA_FIN behind the data that d maps.
func forgedEnd(d *wire.DSS) []byte {
	m := wire.Mapping{DSN: d.Map.DSN + uint64(d.Map.Len), Fin: true}
	return forged(0x81, wire.AppendDSS(nil, &wire.DSS{HasMap: true, DSNWide: true, Map: m}))
}

// forgedData is other bytes in the place of those that the server will send next.
func forgedData(d *wire.DSS) []byte {
	m := wire.Mapping{DSN: d.Map.DSN + uint64(d.Map.Len), SSN: d.Map.SSN + uint32(d.Map.Len), Len: 3}
	return forged(0x81, append(wire.AppendDSS(nil, &wire.DSS{HasMap: true, DSNWide: true, Map: m}), "lie"...))
}

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
			server.Authenticate("client", client.InitialID(), time.Minute)
			client.Authenticate("", 0, time.Minute)
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
		return forged(0x81, append(wire.AppendDSS(nil, &wire.DSS{HasMap: true, DSNWide: true, Map: m}), "lie"...))
	}
	for name, forge := range map[string]func(*wire.DSS) []byte{"next": forgedData, "ahead": ahead, "end": forgedEnd} {
		for _, bound := range []bool{true, false} {
			client, err := handshakeOver(t, forge, bound)
			switch {
			case bound && !errors.Is(err, ErrStranger):
				t.Errorf("%s: %v, want ErrStranger", name, err)
			case !bound && err != nil && name != "end":
				t.Errorf("%s, without keys: %v, and so the test shows nothing", name, err)
			}
			client.Abort()
		}
	}
}

// handshakeOver lets the server send four bytes before the client is authenticated, and a path some of its own behind them.
// The error is what the client then reads.
func handshakeOver(t *testing.T, forge func(*wire.DSS) []byte, bound bool) (*Conn, error) {
	t.Helper()
	l := newLoopback(t, 1, Config{})
	f := newForger(t, 0, forge)
	go f.serve(l.ln.Addr())
	paths := l.source.Paths()
	paths[0].Remote = f.ln.Addr().(*net.TCPAddr).AddrPort()
	l.source.set(paths)
	client, err := l.dialer.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Abort)
	if _, err := server.Write([]byte("TLS.")); err != nil {
		t.Fatal(err)
	}
	_ = client.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.ReadFull(client, make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	<-f.done
	for came := make(chan bool); ; time.Sleep(time.Millisecond) {
		client.errand(func(k *core, _ time.Time) { came <- k.recv.next+uint64(k.recv.bytes) > k.inDSN+4 || k.fin.peerKnown })
		if <-came {
			break
		}
	}
	if bound {
		client.Bind([]byte("secret"), false)
	}
	client.Authenticate("", 0, time.Minute)
	_ = client.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	_, err = io.ReadFull(client, make([]byte, 3))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil // it waits for what is in between
	}
	return client, err
}

// transferOver sends from the server to the client while one of the uplinks forges; the sums of what came and of what was
// sent.
func transferOver(t *testing.T, uplinks, uplink int, forge func(*wire.DSS) []byte, establish func(client, server *Conn)) (got, want [32]byte) {
	t.Helper()
	l := newLoopback(t, uplinks, Config{})
	f := newForger(t, 20<<10, forge)
	go f.serve(l.ln.Addr())
	paths := l.source.Paths()
	paths[uplink].Remote = f.ln.Addr().(*net.TCPAddr).AddrPort()
	l.source.set(paths[:1])
	client, err := l.dialer.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	establish(client, server)
	l.source.set(paths)
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
