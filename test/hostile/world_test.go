package hostile

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"hawser/configs"
	"hawser/test/program"
)

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

// world is a server, a client that is let in, and a target that echoes.
type world struct {
	site           *program.Site
	server, client *program.Process
	plain          netip.AddrPort // of the server
	proxy          netip.AddrPort // of the client
	echo           netip.AddrPort
	invite         string // of another client that is let in
}

// newWorld starts everything; env is for both programs.
func newWorld(t *testing.T, env ...string) *world {
	t.Helper()
	w := &world{site: program.NewSite(t, "127.0.0.1"), echo: newEcho(t)}
	o := program.Options{Env: append([]string{"HAWSER_LOG_LEVEL=debug"}, env...)}
	w.site.Join("home") // before the server runs, so that it knows the clients from the start
	w.invite = w.site.Invite("insider")
	w.server = w.site.StartServer(o)
	w.plain = w.server.PlainAddr()
	w.client = w.site.StartClient("home", w.plain, o)
	w.proxy = w.client.ProxyAddr()
	w.client.AwaitHealthy()
	return w
}

// insider is the key of a client that is let in and not running.
func (w *world) insider(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	invite, err := configs.ParseInvite(w.invite)
	if err != nil {
		t.Fatal(err)
	}
	return invite.Key.Ed25519()
}

// newEcho listens on loopback and gives back what it gets, with half-close.
func newEcho(t *testing.T) netip.AddrPort {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveEcho(t, ln)
	return addrPort(ln.Addr())
}

// serveEcho serves a listener until the test ends.
func serveEcho(t *testing.T, ln net.Listener) {
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if _, err := io.Copy(c, c); err == nil {
					_ = c.(*net.TCPConn).CloseWrite()
				}
			}()
		}
	}()
}

// transfer goes through client, server, target and back at some Mbit/s until finish is called.
type transfer struct {
	conn  net.Conn
	stop  chan struct{}
	sent  chan [sha256.Size]byte
	got   chan [sha256.Size]byte
	moved atomic.Int64 // bytes that came back
	err   atomic.Pointer[error]
}

const (
	transferChunk = 16 << 10 // bytes
	transferTick  = 2 * time.Millisecond
)

// transfer begins one.
func (w *world) transfer(t *testing.T) *transfer {
	t.Helper()
	conn := mustConnect(t, w.proxy, w.echo)
	tr := &transfer{
		conn: conn, stop: make(chan struct{}), sent: make(chan [sha256.Size]byte, 1), got: make(chan [sha256.Size]byte, 1),
	}
	t.Cleanup(func() { _ = conn.Close() })
	go tr.write()
	go tr.read()
	tr.moves(t)
	return tr
}

func (tr *transfer) fail(err error) { tr.err.CompareAndSwap(nil, &err) }

func (tr *transfer) write() {
	sum := sha256.New()
	defer func() { tr.sent <- total(sum) }()
	tick := time.NewTicker(transferTick)
	defer tick.Stop()
	random := rand.NewChaCha8([32]byte{1})
	chunk := make([]byte, transferChunk)
	for {
		for i := 0; i < len(chunk); i += 8 {
			binary.LittleEndian.PutUint64(chunk[i:], random.Uint64())
		}
		sum.Write(chunk)
		if _, err := tr.conn.Write(chunk); err != nil {
			tr.fail(fmt.Errorf("write: %w", err))
			return
		}
		select {
		case <-tick.C:
		case <-tr.stop:
			if err := tr.conn.(*net.TCPConn).CloseWrite(); err != nil {
				tr.fail(err)
			}
			return
		}
	}
}

func (tr *transfer) read() {
	sum := sha256.New()
	defer func() { tr.got <- total(sum) }()
	b := make([]byte, 64<<10)
	for {
		n, err := tr.conn.Read(b)
		sum.Write(b[:n])
		tr.moved.Add(int64(n))
		if err == io.EOF {
			return
		}
		if err != nil {
			tr.fail(fmt.Errorf("read: %w", err))
			return
		}
	}
}

func total(h hash.Hash) (sum [sha256.Size]byte) {
	h.Sum(sum[:0])
	return sum
}

// moves waits until the transfer has moved on from where it is now by more than can have been under way.
func (tr *transfer) moves(t *testing.T) {
	t.Helper()
	goal := tr.moved.Load() + 256<<10
	program.Await(t, "the transfer moves on", program.Patience, func() bool {
		if err := tr.err.Load(); err != nil {
			t.Fatalf("the transfer broke off: %v", *err)
		}
		return tr.moved.Load() >= goal
	}, func() string { return fmt.Sprintf("%d of %d bytes", tr.moved.Load(), goal) })
}

// finish ends the transfer and wants it whole.
func (tr *transfer) finish(t *testing.T) {
	t.Helper()
	close(tr.stop)
	sent := <-tr.sent
	if err := tr.conn.SetReadDeadline(time.Now().Add(program.Patience)); err != nil {
		t.Fatal(err)
	}
	got := <-tr.got
	if err := tr.err.Load(); err != nil {
		t.Fatalf("the transfer broke off: %v", *err)
	}
	if sent != got {
		t.Errorf("the transfer of %d bytes was altered on its way", tr.moved.Load())
	}
}
