package configs

import (
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestEnvironmentOverridesFileAndFlagOverridesEnvironment(t *testing.T) {
	p := newPlace(t)
	write(t, filepath.Join(p.Dir, "client.yaml"), minimalClient+"scheduler: minrtt\n")
	load := func(flags ...Flag) string {
		t.Helper()
		c, err := LoadClient(p, Options{Flags: flags})
		if err != nil {
			t.Fatal(err)
		}
		return c.Scheduler
	}
	if got := load(); got != "minrtt" {
		t.Errorf("from the file: %q", got)
	}
	p.Environ = []string{"HAWSER_SCHEDULER=blest"}
	if got := load(); got != "blest" {
		t.Errorf("from the environment: %q", got)
	}
	if got := load(Flag{Name: "--scheduler", Key: "scheduler", Values: []string{"weighted"}}); got != "weighted" {
		t.Errorf("from the flag: %q", got)
	}
}

func TestVariablesOfEveryForm(t *testing.T) {
	p := newPlace(t,
		"HAWSER_LISTEN=127.0.0.1:1, [::1]:2",
		"HAWSER_SERVER={addresses: [a.example], raw_port: 9}",
		"HAWSER_SERVER_ADDRESSES=b.example,c.example",
		"HAWSER_SERVER_PUBLIC_KEY="+testKey,
		"HAWSER_UPLINKS=[{name: dsl, interface: eth0, backup: true}]",
		"HAWSER_USERS=- {name: me, password: p}",
		"HAWSER_ALLOW_FROM=",
		"HAWSER_SESSIONS_SURVIVE=2m",
		"HAWSER_MEMORY=1GiB",
		"HAWSER_ADMIN=",
		"HAWSER_ADMIN_TOKEN_FILE=token",
		"HAWSER_LOG={level: warn}",
		"HAWSER_LOG_FORMAT=json",
	)
	write(t, filepath.Join(p.Dir, "token"), "t0ken\n")
	write(t, filepath.Join(p.Dir, "client.yaml"), "allow_from: [10.0.0.0/8]\nuplinks: [eth9, eth8]\n")
	c, err := LoadClient(p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case !slices.Equal(c.Listen, []string{"127.0.0.1:1", "[::1]:2"}):
		t.Errorf("listen %q", c.Listen)
	case !slices.Equal(c.Server.Addresses, []string{"b.example", "c.example"}) || c.Server.RawPort != 9 || c.Server.PlainPort != 7444:
		t.Errorf("server %+v", c.Server)
	case !slices.Equal(c.Uplinks, []Uplink{{Name: "dsl", Interface: "eth0", Backup: true}}):
		t.Errorf("uplinks %+v", c.Uplinks)
	case len(c.Users) != 1 || c.Users[0].Name != "me" || len(c.AllowFrom) != 0:
		t.Errorf("users %v, allow_from %v", c.Users, c.AllowFrom)
	case c.Sessions.Survive != 2*time.Minute || c.Memory != 1<<30 || c.Admin != "" || !c.AdminToken.Matches("t0ken"):
		t.Errorf("loaded %+v", c)
	case c.Log != Log{"warn", "json"}:
		t.Errorf("log %+v", c.Log)
	case len(c.Warnings) != 0:
		t.Errorf("warnings %q", c.Warnings)
	}
}

func TestShortFormOfUplinksInVariablesAndFlags(t *testing.T) {
	c, err := loadClientText(t, minimalClient, "HAWSER_UPLINKS=eth0,192.0.2.7")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Uplinks) != 2 || c.Uplinks[0].Interface != "eth0" || c.Uplinks[1].Name != "192.0.2.7" || !c.Uplinks[1].Source.IsValid() {
		t.Errorf("uplinks %+v", c.Uplinks)
	}
}

func TestMessagesNameTheVariable(t *testing.T) {
	tests := []struct {
		environ, want string
	}{
		{"HAWSER_CARRIER=x", `HAWSER_CARRIER: carrier: "x" is not allowed: use auto or plain`},
		{"HAWSER_SESSIONS_MIN=x", `HAWSER_SESSIONS_MIN: sessions.min: "x" is not allowed`},
		{"HAWSER_SESSIONS_MIN=99", `HAWSER_SESSIONS_MIN: sessions.min: 99 is not allowed`},
		{"HAWSER_LISTEN=127.0.0.1:1,x", `HAWSER_LISTEN: listen[1]: "x" is not allowed`},
		{"HAWSER_SERVER=[", `HAWSER_SERVER: server: not valid YAML`},
		{"HAWSER_SERVER={raw: 1}", `HAWSER_SERVER: unknown key "server.raw"`},
		{"HAWSER_USERS=me", `HAWSER_USERS: users: use a YAML list of objects with the keys name, password`},
		{"HAWSER_USERS={name: me}", `HAWSER_USERS: users: use a list`},
		{"HAWSER_CARRIER_FILE=/does/not/exist", `HAWSER_CARRIER: carrier: HAWSER_CARRIER_FILE: open /does/not/exist`},
		{"HAWSER_MEMORY=", `HAWSER_MEMORY: memory: "" is not allowed`},
	}
	for _, test := range tests {
		t.Run(test.environ, func(t *testing.T) {
			_, err := loadClientText(t, minimalClient, test.environ)
			wantConfigError(t, err, test.want)
		})
	}
	_, err := loadClientText(t, minimalClient, "HAWSER_CARRIER=auto", "HAWSER_CARRIER_FILE=x")
	wantConfigError(t, err, "both HAWSER_CARRIER and HAWSER_CARRIER_FILE are set: keep one")
}

func TestMessagesNameTheFlag(t *testing.T) {
	p := newPlace(t)
	write(t, filepath.Join(p.Dir, "client.yaml"), minimalClient)
	_, err := LoadClient(p, Options{Flags: []Flag{{Name: "--uplink", Key: "uplinks", Values: []string{"eth0", "eth0"}}}})
	wantConfigError(t, err, `--uplink: uplinks[1]: the name "eth0" stands there twice`)
}

func TestUnknownVariablesOnlyWarn(t *testing.T) {
	c, err := loadClientText(t, minimalClient, "HAWSER_CARIER=raw", "HAWSER_EGRESS_ALLOW=10.0.0.0/8", "HAWSER_CONFIG=", "HAWSER_INVITE=", "HAWSER_INVITE_FILE=", "OTHER=1")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) != 2 || !strings.Contains(c.Warnings[0], `HAWSER_CARIER is not known and does nothing: did you mean "HAWSER_CARRIER"?`) ||
		!strings.Contains(c.Warnings[1], "HAWSER_EGRESS_ALLOW is not known") {
		t.Errorf("warnings %q", c.Warnings)
	}
}

func TestEveryKeyHasItsVariable(t *testing.T) {
	for _, test := range []struct {
		config any
		want   []string
	}{
		{&Client{}, []string{"HAWSER_SERVER_ADDRESSES", "HAWSER_SERVER_RAW_PORT", "HAWSER_ADMIN_TOKEN", "HAWSER_SESSIONS_SURVIVE", "HAWSER_LOG", "HAWSER_ALLOW_FROM"}},
		{&Server{}, []string{"HAWSER_EGRESS_ALLOW", "HAWSER_EGRESS_CONNECT_TIMEOUT", "HAWSER_LISTEN_RAW", "HAWSER_PUBLIC_ADDRESSES", "HAWSER_CLIENTS"}},
	} {
		seen := map[string]bool{}
		walkKeys("", reflect.ValueOf(test.config).Elem(), func(key string, _ reflect.Value) {
			if seen[variableOf(key)] {
				t.Errorf("two keys have the variable %s", variableOf(key))
			}
			seen[variableOf(key)] = true
		})
		for _, name := range test.want {
			if !seen[name] {
				t.Errorf("no key has the variable %s", name)
			}
		}
	}
}
