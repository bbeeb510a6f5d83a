package hostile

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"hawser/test/program"
	"hawser/transport/wire"
)

// badServer is something else than a server at the server's address, and what the client says of it.
type badServer struct {
	name   string
	answer func(c net.Conn) // nil: nobody listens
	says   string
}

// afterHello answers when the client has sent its first words.
func afterHello(b []byte) func(net.Conn) {
	return func(c net.Conn) {
		if _, err := io.ReadFull(c, make([]byte, len(goodPreface)+12)); err == nil {
			_, _ = c.Write(b)
		}
		_, _ = io.Copy(io.Discard, c) // until the client leaves
	}
}

// capableSYNACK is the second message of the first handshake.
var capableSYNACK = wire.MPCapable{Stage: wire.StageSYNACK, Version: 1, SHA256: true, SenderKey: 7}

var badServers = []badServer{
	{"nobody", nil, "refused the connection; is the server running and is this its plain port?"},
	{"closes at once", func(net.Conn) {}, ""},
	{"closes when it has heard the client", func(c net.Conn) {
		_, _ = io.ReadFull(c, make([]byte, len(goodPreface)+12))
	}, "it closed the connection without an answer; is this its plain port?"},
	{"HTTP server", afterHello([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")), "does not speak Hawser's plain carrier"},
	{"SSH server", func(c net.Conn) {
		_, _ = c.Write([]byte("SSH-2.0-OpenSSH_9.7\r\n"))
		_, _ = io.Copy(io.Discard, c)
	}, "does not speak Hawser's plain carrier"},
	{"another version", afterHello([]byte{'h', 'w', 's', 'r', 9, 0, 0, 0}), "it speaks 9, this program speaks 1; update the older side"},
	{"silence", afterHello(nil), "no answer"},
	{"refuses", afterHello(append(goodPreface[:8:8], options(wire.MPTCPRst{Reason: wire.ResetProhibited})...)), "administratively prohibited"},
	{"damaged record", afterHello(append(goodPreface[:8:8], damaged(options(capableSYNACK))...)), "the path altered data"},
	{"record too long", afterHello(append(goodPreface[:8:8], recOptions, 0, 0xff, 0xff, 0, 0, 0, 0)), "protocol violation"},
	{"ACK before a key", afterHello(append(goodPreface[:8:8], record(recAck, make([]byte, 32))...)), "the path altered data"},
	{"key 0", afterHello(append(goodPreface[:8:8], options(wire.MPCapable{Stage: wire.StageSYNACK, Version: 1, SHA256: true})...)), "unexpected MP_CAPABLE"},
}

func TestServersThatAreNone(t *testing.T) {
	site := program.NewSite(t, "127.0.0.1")
	site.Join("home")
	for _, c := range badServers {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			addr := serve(t, c.answer)
			client := startIn(t, site, addr)
			if c.says != "" {
				client.Await(c.says)
			} else {
				client.Await(`"uplink"`, `"reason"`)
			}
			if status, body := client.Get("/healthz"); status != 503 {
				t.Errorf("health %d %s, want 503", status, body)
			}
			if status := client.Stop(); status != 0 {
				t.Errorf("exit status %d after SIGTERM, want 0", status)
			}
		})
	}
}

// startIn starts the site's client for a subtest, which it ends with.
func startIn(t *testing.T, site *program.Site, server netip.AddrPort) *program.Process {
	t.Helper()
	return program.Start(t, program.Client, program.Options{Args: []string{"-c", site.File("home"), "run"}, Env: []string{
		fmt.Sprintf("HAWSER_SERVER_PLAIN_PORT=%d", server.Port()), "HAWSER_LISTEN=127.0.0.1:0", "HAWSER_ADMIN=127.0.0.1:0",
		"HAWSER_UPLINKS=127.0.0.1", "HAWSER_LOG_FORMAT=json", "HAWSER_LOG_LEVEL=debug",
	}})
}

// serve answers every connection in its own way; nil: nobody listens at the address.
func serve(t *testing.T, answer func(net.Conn)) netip.AddrPort {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if answer == nil {
		_ = ln.Close()
		return addrPort(ln.Addr())
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(program.Patience))
			go func() {
				defer c.Close()
				answer(c)
			}()
		}
	}()
	return addrPort(ln.Addr())
}

func TestServerThatComesLaterIsWaitedFor(t *testing.T) {
	site, echo := program.NewSite(t, "127.0.0.1"), newEcho(t)
	site.Join("home")
	addr := serve(t, nil)
	client := site.StartClient("home", addr, program.Options{})
	client.Await("refused the connection")
	start := time.Now()
	server := site.StartServer(program.Options{Env: []string{"HAWSER_LISTEN_PLAIN=" + addr.String()}})
	server.PlainAddr()
	client.AwaitHealthy()
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("the client has noticed the server after %v", took)
	}
	exchange(t, client.ProxyAddr(), echo)
	wantGone(t, &world{client: client, server: server})
}
