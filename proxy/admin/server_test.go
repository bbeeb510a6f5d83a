package admin

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name, want string
		config     Config
	}{
		{"loopback", "", Config{Address: "127.0.0.1:9090"}},
		{"other loopback", "", Config{Address: "127.8.8.8:9090"}},
		{"IPv6 loopback", "", Config{Address: "[::1]:9090"}},
		{"mapped loopback", "", Config{Address: "[::ffff:127.0.0.1]:9090"}},
		{"localhost", "", Config{Address: "localhost:9090"}},
		{"outside with token", "", Config{Address: ":9090", Token: "x", Hosts: []string{"router.lan"}}},
		{"every address", "admin_token", Config{Address: ":9090"}},
		{"every address, spelled out", "admin_token", Config{Address: "0.0.0.0:9090"}},
		{"one address", "admin_token", Config{Address: "192.168.1.5:9090"}},
		{"a name", "admin_token", Config{Address: "router.lan:9090"}},
		{"no port", "admin: ", Config{Address: "127.0.0.1"}},
		{"empty port", "admin: ", Config{Address: "127.0.0.1:"}},
		{"host with port", "admin_hosts: ", Config{Address: "127.0.0.1:9090", Hosts: []string{"router.lan:9090"}}},
		{"empty host", "admin_hosts: ", Config{Address: "127.0.0.1:9090", Hosts: []string{""}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.config.Check()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want %q in it", err, c.want)
			}
			if _, got := NewHandler(c.config, fixed{}); (got == nil) != (err == nil) {
				t.Errorf("NewHandler says %v, Check %v", got, err)
			}
		})
	}
}

func TestBusyPortNamesKeyAndPort(t *testing.T) {
	first, err := Listen(Config{Address: "127.0.0.1:0"}, fixed{})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	_, err = Listen(Config{Address: first.Addr().String()}, fixed{})
	if err == nil || !strings.Contains(err.Error(), "key admin") || !strings.Contains(err.Error(), first.Addr().String()) {
		t.Errorf("error is %v, want the key and the address in it", err)
	}
}

func TestServeUntilShutdown(t *testing.T) {
	s, err := Listen(Config{Address: "127.0.0.1:0"}, fixed{status: sample()})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	r, err := http.Get("http://" + s.Addr().String() + PathStatus)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r.Body)
	r.Body.Close()
	if err != nil || r.StatusCode != http.StatusOK || !strings.HasSuffix(string(text), "}\n") {
		t.Errorf("%s: %s %v", r.Status, text, err)
	}
	if err := s.Shutdown(context.Background()); err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if err := <-done; err != nil {
		t.Errorf("serve: %v", err)
	}
	if c, err := net.Dial("tcp", s.Addr().String()); err == nil {
		c.Close()
		t.Error("the port is still open")
	}
}

func TestShutdownWithoutServeFreesThePort(t *testing.T) {
	s, err := Listen(Config{Address: "127.0.0.1:0"}, fixed{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	again, err := Listen(Config{Address: s.Addr().String()}, fixed{})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}
