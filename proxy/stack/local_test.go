package stack

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"
)

// serve runs f until the test ends and wants that it then ends well.
func serve(t *testing.T, f func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestLocalPairCarriesAStreamWithoutAnyFile(t *testing.T) {
	local, err := NewLocal(ServerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	serve(t, local.Run)
	ways := []Way{{Name: "a", To: local.Addr()}, {Name: "b", To: local.Addr()}}
	client, err := local.NewClient("127.0.0.1:0", "127.0.0.1:0", ClientOptions{}, ways...)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, client.Run)

	t.Log("# a request through the proxy reaches a target on 127.0.0.1")
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "whole") }))
	defer target.Close()
	proxy := &url.URL{Scheme: "socks5", Host: client.Addrs()[0].String()}
	web := http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy), DisableKeepAlives: true}, Timeout: 20 * time.Second}
	answer, err := web.Get(target.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); err != nil || string(body) != "whole" {
		t.Errorf("answer %q, %v", body, err)
	}

	t.Log("# status knows both uplinks by their names, and all ports are on 127.0.0.1")
	if list := client.Status().Uplinks; len(list) != 2 || list[0].Name != "a" || list[1].Name != "b" {
		t.Errorf("uplinks %+v", list)
	}
	for _, a := range []net.Addr{client.Addrs()[0], client.AdminAddr(), net.TCPAddrFromAddrPort(local.Addr())} {
		if host, _, _ := net.SplitHostPort(a.String()); host != loopback {
			t.Errorf("listens on %s", a)
		}
	}
}
