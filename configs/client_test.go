package configs

import (
	"net/netip"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// testKey is a public key as files hold it.
const testKey = "djm0KQvCxj20+Zm8UOUPBGAa8vUimMi/2yriYLXSg9Y="

// minimalClient is the least that a client must be told, in one line.
const minimalClient = `server: {addresses: [vps.example.net], public_key: "` + testKey + `"}` + "\n"

func loadClientText(t *testing.T, text string, environ ...string) (*Client, error) {
	t.Helper()
	p := newPlace(t, environ...)
	write(t, filepath.Join(p.Dir, "client.yaml"), text)
	c, err := LoadClient(p, Options{})
	if c != nil {
		if want := filepath.Join(p.Dir, "client.yaml"); c.File != want {
			t.Errorf("file %q, want %q", c.File, want)
		}
		c.File = ""
		c.Identity, _ = filepath.Rel(p.Dir, c.Identity)
	}
	return c, err
}

func TestClientDefaults(t *testing.T) {
	c, err := loadClientText(t, minimalClient)
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultClient()
	want.Server.Addresses = []string{"vps.example.net"}
	if err := want.Server.PublicKey.UnmarshalText([]byte(testKey)); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(*c, want) {
		t.Errorf("loaded %+v\nwant   %+v", *c, want)
	}
	if len(c.Listen) != 1 || c.Listen[0] != "127.0.0.1:1080" || c.Server.RawPort != 7443 || c.Server.PlainPort != 7444 ||
		c.Sessions != (Sessions{2, 16, time.Minute}) || c.Admin != "127.0.0.1:9090" || c.Memory != 0 ||
		c.Carrier != "auto" || c.Scheduler != "auto" || c.Congestion != "bbr" || c.Log != (Log{"info", "console"}) {
		t.Errorf("defaults are not those of the documentation: %+v", *c)
	}
}

func TestEveryKeyOfTheClient(t *testing.T) {
	c, err := loadClientText(t, `
listen: ["127.0.0.1:1080", "[::1]:1080", ":1081"]
users: [{name: me, password: secret}]
allow_from: [192.168.1.0/24, 10.0.0.1, "fd00::/8"]
server:
  addresses: ["vps.example.net", 198.51.100.7, "2001:db8::7"]
  raw_port: 1
  plain_port: 65535
  public_key: "`+testKey+`"
identity: keys/me.key
uplinks:
  - {name: dsl, interface: eth0}
  - {name: lte, interface: wwan0, backup: true, carrier: plain}
  - {name: fibre, source: 192.0.2.7}
  - wlan0
  - "2001:db8::9"
carrier: plain
scheduler: minrtt
congestion: cubic
sessions: {min: 1, max: 3, survive: 5m}
memory: 256MB
admin: "0.0.0.0:9090"
admin_hosts: [hawser.lan]
admin_token: token
log: {level: debug, format: json}
`)
	if err != nil {
		t.Fatal(err)
	}
	wantUplinks := []Uplink{
		{Name: "dsl", Interface: "eth0"},
		{Name: "lte", Interface: "wwan0", Backup: true, Carrier: "plain"},
		{Name: "fibre", Source: netip.MustParseAddr("192.0.2.7")},
		{Name: "wlan0", Interface: "wlan0"},
		{Name: "2001:db8::9", Source: netip.MustParseAddr("2001:db8::9")},
	}
	wantFrom := []netip.Prefix{netip.MustParsePrefix("192.168.1.0/24"), netip.MustParsePrefix("10.0.0.1/32"), netip.MustParsePrefix("fd00::/8")}
	admin := c.AdminListener()
	switch {
	case !slices.Equal(c.Uplinks, wantUplinks):
		t.Errorf("uplinks %+v", c.Uplinks)
	case !slices.Equal(c.AllowFrom, wantFrom):
		t.Errorf("allow_from %v", c.AllowFrom)
	case len(c.Users) != 1 || c.Users[0].Name != "me" || !c.Users[0].Password.Matches("secret"):
		t.Errorf("users %v", c.Users)
	case c.Server.RawPort != 1 || c.Server.PlainPort != 65535 || len(c.Server.Addresses) != 3:
		t.Errorf("server %+v", c.Server)
	case c.Identity != "keys/me.key" || c.Carrier != "plain" || c.Scheduler != "minrtt" || c.Congestion != "cubic":
		t.Errorf("single values %+v", c)
	case c.Sessions != Sessions{1, 3, 5 * time.Minute} || c.MemoryLimit() != 256_000_000 || c.Log != Log{"debug", "json"}:
		t.Errorf("objects %+v", c)
	case admin.Address != "0.0.0.0:9090" || admin.Token.Reveal() != "token" || !slices.Equal(admin.Hosts, []string{"hawser.lan"}):
		t.Errorf("admin %+v", admin)
	}
}

func TestEveryRuleOfTheClient(t *testing.T) {
	tests := []struct {
		name, text, want string
	}{
		{"unknown key", "lisen: []", `1:1: unknown key "lisen": did you mean "listen"?`},
		{"unknown key inside", "log: {colour: red}", `1:7: unknown key "log.colour": known are level, format`},
		{"unknown key in a list", "uplinks:\n  - {name: a, iface: eth0}", `2:15: unknown key "uplinks[0].iface": `},
		{"a key twice", "carrier: auto\ncarrier: plain", `2:1: carrier: stands there twice`},
		{"wrong kind: list", "listen: 127.0.0.1:1080", `1:9: listen: use a list, such as [a, b]`},
		{"wrong kind: object", "log: debug", `1:6: log: use an object with the keys level, format`},
		{"wrong kind: value", "carrier: [auto]", `1:10: carrier: use a single value`},
		{"wrong kind: whole file", "- a", `1:1: use an object with the keys listen, users`},
		{"no value", "memory:", `1:8: memory: has no value`},
		{"not YAML", "listen: [", `client.yaml:1: not valid YAML: `},
		{"tab", "log:\n\tlevel: info", `client.yaml:2: not valid YAML: `},
		{"empty", "", `client.yaml: is empty`},
		{"only comments", "# nothing", `client.yaml: is empty`},
		{"two documents", "carrier: auto\n---\ncarrier: plain", `client.yaml: more than one YAML document`},
		{"alias", "admin_hosts: &a [x]\nlisten: *a", `2:9: listen: aliases are not read`},

		{"listen without port", `listen: ["127.0.0.1"]`, `1:10: listen[0]: "127.0.0.1" is not allowed: use address:port`},
		{"listen on a name", `listen: ["me:1080"]`, `1:10: listen[0]: "me:1080" is not allowed: use address:port`},
		{"listen on a wrong port", `listen: ["127.0.0.1:65536"]`, `listen[0]: "127.0.0.1:65536" is not allowed`},
		{"listen empty", `listen: []`, `1:9: listen: is empty`},
		{"listen twice", `listen: ["127.0.0.1:1", "127.0.0.1:1"]`, `1:25: listen[1]: the address "127.0.0.1:1" stands there twice, first as listen[0]`},
		{"listen outside", `listen: [":1080"]`, `1:10: listen[0]: ":1080" is reachable from outside: set users or allow_from`},
		{"listen outside, IPv6", `listen: ["[::]:1080"]`, `"[::]:1080" is reachable from outside`},
		{"user without name", `users: [{password: p}]`, `1:9: users[0].name: "" is not allowed: use 1 to 255 bytes`},
		{"user with colon", `users: [{name: "a:b", password: p}]`, `1:16: users[0].name: "a:b" is not allowed`},
		{"user without password", `users: [{name: a}]`, `1:9: users[0].password: is not allowed: use 1 to 255 bytes`},
		{"user twice", `users: [{name: a, password: p}, {name: a, password: q}]`, `1:33: users[1]: the name "a" stands there twice`},
		{"allow_from", `allow_from: [home]`, `1:14: allow_from[0]: "home" is not allowed: use a network in CIDR form`},
		{"allow_from with host bits", `allow_from: [192.168.1.7/24]`, `bits are set behind the prefix: use 192.168.1.0/24`},

		{"server port", `server: {raw_port: 70000}`, `1:20: server.raw_port: "70000" is not allowed: use a port number`},
		{"server ports equal", `server: {raw_port: 7444}`, `1:9: server.plain_port: 7444 is not allowed: raw_port has the same`},
		{"server without ports", `server: {raw_port: 0, plain_port: 0}`, `1:35: server.plain_port: 0 is not allowed together`},
		{"server with port in address", `server: {addresses: ["a.example:7443"]}`, `1:22: server.addresses[0]: "a.example:7443" is not allowed: use the name or address alone`},
		{"server address", `server: {addresses: ["a b"]}`, `"a b" is not allowed: use a host name or an IP address`},
		{"server address like IPv4", `server: {addresses: ["300.1.1.1"]}`, `"300.1.1.1" is not allowed`},
		{"server address for all", `server: {addresses: ["0.0.0.0"]}`, `"0.0.0.0" is not allowed: use a unicast address`},
		{"server address with zone", `server: {addresses: ["fe80::1%eth0"]}`, `use a unicast address without a zone`},
		{"server address twice", `server: {addresses: [a.example, A.example]}`, `1:33: server.addresses[1]: the address "a.example" stands there twice`},
		{"server key", `server: {public_key: abc}`, `1:22: server.public_key: "abc" is not allowed: use a public key`},
		{"server key of zeros", `server: {public_key: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}`, `is not allowed: use a public key`},
		{"server key missing", `carrier: auto`, `server.public_key: is missing`},
		{"server addresses missing", `carrier: auto`, `server.addresses: is missing`},
		{"identity", `identity: ""`, `1:11: identity: is empty`},

		{"uplink with both", "uplinks:\n  - {name: a, interface: eth0, source: 192.0.2.1}", `2:5: uplinks[0]: has both interface "eth0" and source "192.0.2.1": keep one`},
		{"uplink with neither", "uplinks: [{name: a}]", `1:11: uplinks[0]: has neither interface nor source`},
		{"uplink without value", "uplinks:\n  -", `uplinks[0]: has no value`},
		{"uplink source", "uplinks: [{source: eth0}]", `1:20: uplinks[0].source: "eth0" is not allowed: use an IP address`},
		{"uplink source for all", `uplinks: [{source: "::"}]`, `uplinks[0].source: "::" is not allowed: use an address that an interface`},
		{"uplink name", `uplinks: [{name: "a,b", interface: eth0}]`, `1:18: uplinks[0].name: "a,b" is not allowed: use 1 to 63 printable characters`},
		{"uplink interface", `uplinks: [{name: a, interface: " eth0"}]`, `uplinks[0].interface: " eth0" is not allowed`},
		{"uplink twice", "uplinks:\n  - {name: a, interface: eth0}\n  - {name: a, interface: eth1}", `3:5: uplinks[1]: the name "a" stands there twice, first as uplinks[0]`},
		{"uplink raw", "uplinks: [{interface: eth0, carrier: raw}]", `1:38: uplinks[0].carrier: "raw" is not allowed: the raw carrier is not built yet: use auto or plain`},
		{"uplink backup", "uplinks: [{interface: eth0, backup: yes}]", `1:37: uplinks[0].backup: "yes" is not allowed: use true or false`},
		{"too many uplinks", "uplinks: [" + strings.Repeat("e,", 65) + "]", `uplinks: 65 uplinks are not allowed: use at most 64`},

		{"carrier raw", "carrier: raw", `1:10: carrier: "raw" is not allowed: the raw carrier is not built yet: use auto or plain`},
		{"carrier", "carrier: pigeon", `1:10: carrier: "pigeon" is not allowed: use auto or plain`},
		{"scheduler", "scheduler: best", `1:12: scheduler: "best" is not allowed: use one of auto, minrtt, roundrobin, weighted, blest, redundant`},
		{"congestion", "congestion: vegas", `1:13: congestion: "vegas" is not allowed: use one of bbr, `},
		{"sessions.min", "sessions: {min: 0}", `1:17: sessions.min: 0 is not allowed: use a whole number from 1 to 64`},
		{"sessions.min is no number", "sessions: {min: two}", `1:17: sessions.min: "two" is not allowed: use a whole number`},
		{"sessions.max", "sessions: {max: 65}", `1:17: sessions.max: 65 is not allowed`},
		{"sessions.min above max", "sessions: {min: 5, max: 4}", `1:17: sessions.min: 5 is not allowed: it must not exceed sessions.max, 4`},
		{"survive without unit", "sessions: {survive: 60}", `1:21: sessions.survive: "60" is not allowed: use a duration with its unit`},
		{"survive", "sessions: {survive: 25h}", `1:21: sessions.survive: 25h0m0s is not allowed: use a duration from 1s to 24h0m0s`},
		{"memory", "memory: 512", `1:9: memory: "512" is not allowed: use auto or a size`},
		{"memory too small", "memory: 1MB", `1:9: memory: "1MB" is not allowed`},
		{"admin", "admin: 9090", `1:8: admin: "9090" is not allowed: use address:port`},
		{"admin outside", `admin: ":9090"`, `1:8: admin: ":9090" is reachable from outside: set admin_token`},
		{"admin_hosts", `admin_hosts: ["a:1"]`, `1:15: admin_hosts[0]: "a:1" is not allowed`},
		{"log.level", "log: {level: loud}", `1:14: log.level: "loud" is not allowed: use one of debug, info, warn, error`},
		{"log.format", "log: {format: xml}", `1:15: log.format: "xml" is not allowed: use one of console, json`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := loadClientText(t, test.text)
			wantConfigError(t, err, test.want)
		})
	}
}

func TestAllFaultsAreReportedAtOnceAndEachOnce(t *testing.T) {
	_, err := loadClientText(t, minimalClient+"carrier: x\nmemory: 1\nsessions: {min: a, max: b}\nadmin: y\n")
	wantConfigError(t, err, "carrier: ", "memory: ", "sessions.min: ", "sessions.max: ", "admin: ")
	if n := strings.Count(err.Error(), "\n") + 1; n != 5 {
		t.Errorf("%d lines, want 5:\n%s", n, err)
	}
}

func TestEmptyMeansOffOrNone(t *testing.T) {
	c, err := loadClientText(t, minimalClient+"admin: \"\"\nuplinks:\nusers: []\nlog:\n")
	if err != nil {
		t.Fatal(err)
	}
	if c.Admin != "" || c.Uplinks != nil || len(c.Users) != 0 || c.Log.Level != "info" {
		t.Errorf("loaded %+v", c)
	}
}

func TestMessagesNeverShowSecrets(t *testing.T) {
	long := strings.Repeat("hush", 100)
	_, err := loadClientText(t, "users: [{name: a, password: "+long+"}, {name: b, password: [hush]}]\nadmin_token: {hush: hush}")
	wantConfigError(t, err, "users[0].password", "users[1].password", "admin_token")
	if strings.Contains(err.Error(), "hush") {
		t.Errorf("the error shows a secret: %s", err)
	}
}
