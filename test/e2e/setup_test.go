//go:build linux

package e2e

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hawser/test/netlab"
	"hawser/test/program"
	"hawser/test/rig"
)

func TestMain(m *testing.M) { os.Exit(program.Main(m)) }

// world is a rig with targets on the server's host.
type world struct {
	*rig.Rig
	t   *testing.T
	tcp string // the target of raw streams
	url string // the target of HTTP
}

// dsl is a link of 50 Mbit/s and 10 ms.
func dsl() netlab.LinkConfig {
	return netlab.LinkConfig{ARate: 50 * netlab.Mbit, BRate: 50 * netlab.Mbit, Delay: 10 * time.Millisecond}
}

// slow is a link of 8 Mbit/s and 10 ms.
func slow() netlab.LinkConfig {
	return netlab.LinkConfig{ARate: 8 * netlab.Mbit, BRate: 8 * netlab.Mbit, Delay: 10 * time.Millisecond}
}

func newWorld(t *testing.T, family netlab.Family, links ...netlab.LinkConfig) *world {
	t.Helper()
	lab := netlab.New(t)
	bin := filepath.Dir(program.Path(t, program.Client))
	r, err := rig.Start(t.Context(), lab, rig.Options{Bin: bin, Links: links, Family: family})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(r.Logs())
		}
		r.Close()
	})
	w := &world{Rig: r, t: t}
	w.tcp = w.serve(9000, func(ln net.Listener) { serveStreams(ln) })
	w.url = "http://" + w.serve(9001, func(ln net.Listener) { _ = http.Serve(ln, web()) })
	return w
}

// serve opens a port on the server's host.
func (w *world) serve(port uint16, serve func(net.Listener)) string {
	w.t.Helper()
	ln, err := w.Home.Server.Listen("tcp", netip.AddrPortFrom(w.Addr, port).String())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = ln.Close() })
	go serve(ln)
	return ln.Addr().String()
}

// open connects to the stream target through the proxy pair.
func (w *world) open() *net.TCPConn {
	w.t.Helper()
	c, err := w.Dial(w.t.Context(), w.tcp)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = c.Close() })
	return c.(*net.TCPConn)
}

// content is n bytes that only its seed determines.
func content(n int64, seed uint64) io.Reader {
	var key [32]byte
	binary.BigEndian.PutUint64(key[:], seed)
	return io.LimitReader(rand.NewChaCha8(key), n)
}

// hashOf is the SHA-256 of what r gives.
func hashOf(r io.Reader) (sum [32]byte, n int64, err error) {
	h := sha256.New()
	n, err = io.Copy(h, r)
	return [32]byte(h.Sum(nil)), n, err
}

// A stream's request to the target: a byte that says what, and 16 bytes: length and seed.
const (
	send    byte = 's' // send that content, then end the direction
	swallow byte = 'r' // receive until the end, then answer with the SHA-256
	both    byte = 'b' // send that content and receive at once; after both, answer with the SHA-256 of what came
	reset   byte = 'x' // reset the connection
	stall   byte = 'n' // read nothing, ever
)

func request(what byte, n int64, seed uint64) []byte {
	b := binary.BigEndian.AppendUint64([]byte{what}, uint64(n))
	return binary.BigEndian.AppendUint64(b, seed)
}

// resets counts the connections that the target saw reset.
var resets atomic.Int64

func serveStreams(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go serveStream(c.(*net.TCPConn))
	}
}

func serveStream(c *net.TCPConn) {
	defer c.Close()
	var ask [17]byte
	if _, err := io.ReadFull(c, ask[:]); err != nil {
		if errors.Is(err, syscall.ECONNRESET) { // it overtook the request
			resets.Add(1)
		}
		return
	}
	data := content(int64(binary.BigEndian.Uint64(ask[1:])), binary.BigEndian.Uint64(ask[9:]))
	switch ask[0] {
	case send:
		_, _ = io.Copy(c, data)
	case swallow:
		answer(c)
	case both:
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			_, _ = io.Copy(c, data)
		}()
		sum, _, err := hashOf(c)
		<-sent
		if err == nil {
			_, _ = c.Write(sum[:])
		}
	case reset:
		_ = c.SetLinger(0)
	case stall:
		select {}
	}
}

// answer receives until the client's end and then answers: what a half-close is for.
func answer(c *net.TCPConn) {
	sum, _, err := hashOf(c)
	if err != nil {
		resets.Add(1)
		return
	}
	_, _ = c.Write(sum[:])
}

// web serves content of any size: /size/seed.
func web() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{size}/{seed}", func(w http.ResponseWriter, r *http.Request) {
		size, _ := strconv.ParseInt(r.PathValue("size"), 10, 64)
		seed, _ := strconv.ParseUint(r.PathValue("seed"), 10, 64)
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
		_, _ = io.Copy(w, content(size, seed))
	})
	return mux
}

// receive asks for content and checks what comes.
func receive(c net.Conn, n int64, seed uint64) error {
	if _, err := c.Write(request(send, n, seed)); err != nil {
		return err
	}
	return check(c, n, seed)
}
