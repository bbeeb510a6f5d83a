package configs

import (
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func loadServerText(t *testing.T, text string, environ ...string) (*Server, error) {
	t.Helper()
	p := newPlace(t, environ...)
	write(t, filepath.Join(p.Dir, "server.yaml"), text)
	return LoadServer(p, Options{})
}

func TestServerDefaults(t *testing.T) {
	s, err := loadServerText(t, "{}")
	if err != nil {
		t.Fatal(err)
	}
	if s.Listen != (Listen{":7443", ":7444"}) || s.Public.RawPort != 7443 || s.Public.PlainPort != 7444 || len(s.Clients) != 0 ||
		filepath.Base(s.Identity) != "server.key" || s.Egress.ConnectTimeout != 10*time.Second || s.Admin != "127.0.0.1:9091" ||
		s.Congestion != "bbr" || s.Scheduler != "auto" || s.Memory != 0 || s.Log != (Log{"info", "console"}) {
		t.Errorf("defaults are not those of the documentation: %+v", s)
	}
}

func TestEveryKeyOfTheServer(t *testing.T) {
	s, err := loadServerText(t, `
listen: {raw: "", plain: "192.0.2.1:80"}
public: {addresses: [a.example], raw_port: 1, plain_port: 2}
identity: /keys/me.key
clients: [{name: home, public_key: "`+testKey+`"}]
egress: {allow: [10.0.0.0/8], deny: [192.0.2.9, "2001:db8::/32"], connect_timeout: 3s}
congestion: reno
scheduler: redundant
memory: 1GB
admin: "[::1]:1"
admin_hosts: [vps]
admin_token: t
log: {level: warn, format: json}
`)
	if err != nil {
		t.Fatal(err)
	}
	deny := []netip.Prefix{netip.MustParsePrefix("192.0.2.9/32"), netip.MustParsePrefix("2001:db8::/32")}
	switch {
	case s.Listen != Listen{Plain: "192.0.2.1:80"} || s.Public.RawPort != 1 || s.Public.PlainPort != 2 || s.Identity != "/keys/me.key":
		t.Errorf("loaded %+v", s)
	case len(s.Clients) != 1 || s.Clients[0].Name != "home" || s.Clients[0].PublicKey.String() != testKey:
		t.Errorf("clients %+v", s.Clients)
	case len(s.Egress.Allow) != 1 || !slices.Equal(s.Egress.Deny, deny) || s.Egress.ConnectTimeout != 3*time.Second:
		t.Errorf("egress %+v", s.Egress)
	case s.MemoryLimit() != 1_000_000_000 || s.AdminListener().Address != "[::1]:1" || s.Log != Log{"warn", "json"}:
		t.Errorf("loaded %+v", s)
	}
}

func TestEveryRuleOfTheServer(t *testing.T) {
	client := func(name, key string) string { return `{name: ` + name + `, public_key: "` + key + `"}` }
	other := NewPrivateKey().Public().String()
	tests := []struct {
		name, text, want string
	}{
		{"unknown key", "client: []", `1:1: unknown key "client": did you mean "clients"?`},
		{"a client's key", "uplinks: []", `1:1: unknown key "uplinks": known are listen, public`},
		{"empty", "", "server.yaml: is empty"},
		{"both carriers off", `listen: {raw: "", plain: ""}`, `1:26: listen.plain: is empty, and the raw carrier is not available`},
		{"listen.raw", `listen: {raw: "7443"}`, `1:15: listen.raw: "7443" is not allowed: use address:port`},
		{"listen.plain", `listen: {plain: "x:1"}`, `1:17: listen.plain: "x:1" is not allowed: use address:port`},
		{"same port", `listen: {plain: ":7443"}`, `1:17: listen.plain: ":7443" is not allowed: listen.raw has the same port`},
		{"public address", `public: {addresses: ["http://a"]}`, `1:22: public.addresses[0]: "http://a" is not allowed`},
		{"public ports", `public: {raw_port: 7444}`, `public.plain_port: 7444 is not allowed`},
		{"identity", `identity:`, `1:10: identity: is empty`},
		{"client name", "clients: [" + client(`"a b"`, testKey) + "]", `1:18: clients[0].name: "a b" is not allowed: use 1 to 63 letters`},
		{"client key", "clients: [" + client("a", "xyz") + "]", `1:33: clients[0].public_key: "xyz" is not allowed: use a public key`},
		{"client without key", "clients: [{name: a}]", `1:11: clients[0].public_key: is missing`},
		{"client name twice", "clients: [" + client("a", testKey) + "," + client("a", other) + "]", `clients[1]: the name "a" stands there twice`},
		{"client key twice", "clients: [" + client("a", testKey) + "," + client("b", testKey) + "]", `clients[1]: the public key "` + testKey + `" stands there twice`},
		{"egress.allow", "egress: {allow: [everything]}", `1:18: egress.allow[0]: "everything" is not allowed: use a network`},
		{"egress.deny", "egress: {deny: 10.0.0.0/8}", `1:16: egress.deny: use a list`},
		{"connect_timeout", "egress: {connect_timeout: 0s}", `1:27: egress.connect_timeout: 0s is not allowed: use a duration from 100ms to 5m0s`},
		{"scheduler", "scheduler: x", `1:12: scheduler: "x" is not allowed`},
		{"congestion", "congestion: x", `1:13: congestion: "x" is not allowed`},
		{"memory", "memory: lots", `1:9: memory: "lots" is not allowed`},
		{"admin outside", `admin: "192.0.2.1:1"`, `1:8: admin: "192.0.2.1:1" is reachable from outside: set admin_token`},
		{"log", "log: {level: 1}", `1:14: log.level: "1" is not allowed`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := loadServerText(t, test.text)
			wantConfigError(t, err, test.want)
		})
	}
}
