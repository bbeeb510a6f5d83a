package hostile

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"hawser/test/program"
	"hawser/transport/wire"
)

// halfOpen is a connection that begins well and then does nothing, or sends a byte now and then.
type halfOpen struct {
	name string
	port port
	send string        // at once
	hand stage         // on the plain port: how far it gets first
	drip func() string // sent piece by piece; nil: silence
}

// patience is how long anybody is waited for who has not shown who he is: 10 s, on the admin port 15 s for a request;
// and some for a busy machine.
const patience = 18 * time.Second

// dripTick is between two pieces: often enough for any time-out that every byte would start anew.
const dripTick = 300 * time.Millisecond

func spaces() string { return strings.Repeat("x", 200) }

var halfOpens = []halfOpen{
	{"plain, nothing", plainPort, "", connected, nil},
	{"plain, half a preface", plainPort, "hwsr", connected, nil},
	{"plain, preface", plainPort, string(goodPreface), connected, nil},
	{"plain, preface and half a record", plainPort, string(goodPreface) + string(options(capableSYN)[:9]), connected, nil},
	{"plain, half the handshake", plainPort, "", greeted, nil},
	{"plain, the handshake and no TLS", plainPort, "", established, nil},
	{"plain, the handshake byte by byte", plainPort, "", connected,
		func() string { return string(goodPreface) + string(record(recOptions, make([]byte, 60))) }},
	{"plain, half the handshake and endless small records", plainPort, "", greeted,
		func() string { return strings.Repeat(string(options(wire.MPPrio{})), 20) }},
	{"plain, the handshake and endless pings", plainPort, "", established,
		func() string { return strings.Repeat(string(record(recPing, make([]byte, 8))), 20) }},
	{"proxy, nothing", proxyPort, "", 0, nil},
	{"proxy, SOCKS version", proxyPort, "\x05", 0, nil},
	{"proxy, SOCKS greeting", proxyPort, "\x05\x01\x00", 0, nil},
	{"proxy, SOCKS request byte by byte", proxyPort, "\x05\x01\x00\x05\x01\x00\x03\xff", 0, spaces},
	{"proxy, SOCKS4 user without end", proxyPort, "\x04\x01\x00\x50\x7f\x00\x00\x01", 0, spaces},
	{"proxy, half a request", proxyPort, "GET http://x/ HTTP/1.1\r\nHost: ", 0, nil},
	{"proxy, header byte by byte", proxyPort, "CONNECT x:80 HTTP/1.1\r\nHost: ", 0, spaces},
	{"admin, nothing", serverAdmin, "", 0, nil},
	{"admin, half a request", serverAdmin, "GET / HTTP/1.1\r\n", 0, nil},
	{"admin, header byte by byte", clientAdmin, "GET / HTTP/1.1\r\nHost: ", 0, spaces},
}

func TestHalfOpenConnections(t *testing.T) {
	t.Parallel() // it waits for time-outs
	w := newWorld(t)
	running := w.transfer(t)
	before := w.server.Metric("process_open_fds")
	var all sync.WaitGroup
	for _, c := range halfOpens {
		var conn net.Conn
		if c.hand > connected {
			conn = w.newPeer(t, c.hand).Conn
		} else {
			conn = dial(t, w.port(c.port))
		}
		say(t, conn, []byte(c.send))
		all.Go(func() {
			start := time.Now()
			if err := c.outlast(conn); err != nil {
				t.Errorf("%s: after %v: %v", c.name, time.Since(start).Round(time.Second), err)
			}
		})
	}
	all.Wait()
	running.moves(t)
	program.Await(t, "the server has let go of them", program.Patience, func() bool {
		return w.server.Metric("process_open_fds") <= before
	}, nil)
	running.finish(t)
	wantAlive(t, w)
}

// outlast reads until the other end gives up; an error: it does not.
func (c halfOpen) outlast(conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	ended := make(chan struct{})
	defer close(ended)
	if c.drip != nil {
		go drip(conn, c.drip(), ended)
	}
	_, err := io.Copy(io.Discard, conn)
	if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
		return err
	}
	return nil // a close or a reset
}

// drip sends a byte at a time.
func drip(conn net.Conn, text string, ended <-chan struct{}) {
	tick := time.NewTicker(dripTick)
	defer tick.Stop()
	for i := range len(text) {
		select {
		case <-tick.C:
		case <-ended:
			return
		}
		if _, err := conn.Write([]byte(text[i : i+1])); err != nil {
			return // the other end has given up
		}
	}
}
