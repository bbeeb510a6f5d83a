package admin

import (
	"net/http"
	"strings"
	"testing"
)

func TestHostHeader(t *testing.T) {
	for host, ok := range map[string]bool{
		"127.0.0.1":                   true,
		"127.0.0.1:9090":              true,
		"[::1]:9090":                  true,
		"[::1]":                       true,
		"192.168.1.5:9090":            true,
		"[fe80::1%25eth0]:9090":       true,
		"localhost":                   true,
		"LOCALHOST.:9090":             true,
		"router.lan:9090":             true,
		"Router.LAN.":                 true,
		"":                            false,
		"evil.example":                false,
		"evil.example:9090":           false,
		"127.0.0.1.evil.example:9090": false,
		"localhost.evil.example":      false,
		"sub.router.lan":              false,
		"127.1":                       false,
		"0x7f000001":                  false,
		"[router.lan]":                true, // brackets add no power to a name that is listed
	} {
		r := get(t, Config{Hosts: []string{"router.lan"}}, fixed{}, PathHealth, func(r *http.Request) { r.Host = host })
		if (r.Code == http.StatusOK) != ok {
			t.Errorf("host %q: %d", host, r.Code)
		}
		if text := r.Body.String(); !ok && (r.Code != http.StatusMisdirectedRequest || !strings.Contains(text, "admin_hosts")) {
			t.Errorf("host %q: %d %s, want 421 and the remedy", host, r.Code, text)
		}
	}
}

func TestToken(t *testing.T) {
	basic := func(user, password string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(user, password) }
	}
	header := func(value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", value) }
	}
	for _, c := range []struct {
		name   string
		change func(*http.Request)
		ok     bool
	}{
		{"none", nil, false},
		{"bearer", header("Bearer secret"), true},
		{"bearer in other case", header("bearer secret"), true},
		{"wrong bearer", header("Bearer secre"), false},
		{"longer bearer", header("Bearer secret2"), false},
		{"empty bearer", header("Bearer "), false},
		{"scheme alone", header("Bearer"), false},
		{"other scheme", header("Digest secret"), false},
		{"password of any user", basic("me", "secret"), true},
		{"token as user", basic("secret", ""), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, path := range []string{"/", PathStatus, PathMetrics} {
				r := get(t, Config{Token: "secret"}, fixed{}, path, c.change)
				if (r.Code == http.StatusOK) != c.ok {
					t.Errorf("%s: %d", path, r.Code)
				}
				if !c.ok && (r.Code != http.StatusUnauthorized || r.Header().Get("WWW-Authenticate") == "") {
					t.Errorf("%s: %d without a challenge", path, r.Code)
				}
			}
		})
	}
}

func TestHostIsJudgedBeforeTheToken(t *testing.T) {
	r := get(t, Config{Token: "secret"}, fixed{}, "/", func(r *http.Request) { r.Host = "evil.example" })
	if r.Code != http.StatusMisdirectedRequest {
		t.Errorf("%d: a foreign page could ask for the password", r.Code)
	}
}
