package configs

import (
	"reflect"
	"strings"
	"testing"
)

// peersOf loads the list of clients of a text.
func peersOf(t *testing.T, text string) []Peer {
	t.Helper()
	s, d := DefaultServer(), newDocument("test")
	d.yaml("", []byte(text), reflect.ValueOf(&s).Elem(), d.at)
	if err := d.err(); err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return s.Clients
}

func TestClientIsAddedWithLayoutKept(t *testing.T) {
	const item = `{name: new, public_key: "` + testKey + `"}`
	tests := []struct{ name, text, want string }{
		{"no list", "# head\nlog: {level: info}   # tail\n", "# head\nlog: {level: info}   # tail\nclients:\n  - NEW\n"},
		{"no list, no end of line", "log: {level: info}", "log: {level: info}\nclients:\n  - NEW\n"},
		{"nothing", "clients:   # who\n\nlog:  {level: info}\n", "clients:   # who\n  - NEW\n\nlog:  {level: info}\n"},
		{"empty list", "clients: []\nlog: {}\n", "clients:\n  - NEW\nlog: {}\n"},
		{"empty list with comment", "clients: []   # who\nlog: {}\n", "clients:    # who\n  - NEW\nlog: {}\n"},
		{"block list", "clients:\n    # mine\n    - {name: a, public_key: \"K\"}   # first\n\n# next\nlog: {}\n", "clients:\n    # mine\n    - {name: a, public_key: \"K\"}   # first\n    - NEW\n\n# next\nlog: {}\n"},
		{"block list without indent", "clients:\n- name: a\n  public_key: K\nlog: {}\n", "clients:\n- name: a\n  public_key: K\n- NEW\nlog: {}\n"},
		{"CRLF", "clients: []\r\nlog: {}\r\n", "clients:\r\n  - NEW\r\nlog: {}\r\n"},
		{"block list at the end, no end of line", "clients:\n  - {name: a, public_key: K}", "clients:\n  - {name: a, public_key: K}\n  - NEW\n"},
		{"flow list: written anew", "# head\nclients: [{name: a, public_key: K}] # who\n", "# head\nclients: [{name: a, public_key: K}, NEW] # who\n"},
		{"flow file: written anew", "{log: {level: info}}\n", "{log: {level: info}, clients: [NEW]}\n"},
		{"empty list over two lines", "clients: [\n]\nlog: {}\n", "clients: [NEW]\nlog: {}\n"},
		{"document with marks", "---\nlog: {}\n", "---\nlog: {}\nclients:\n  - NEW\n"},
		{"item over several lines", "clients:\n  - {\n    name: a,\n    public_key: K\n    }\nlog: {}\n", "clients:\n  - {name: a, public_key: K}\n  - NEW\nlog: {}\n"},
	}
	key := NewPrivateKey().Public().String()
	var peer Peer
	peer.Name = "new"
	if err := peer.PublicKey.UnmarshalText([]byte(testKey)); err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			fix := func(s string) string {
				return strings.ReplaceAll(strings.ReplaceAll(s, "NEW", item), ": K", `: "`+key+`"`)
			}
			text := strings.ReplaceAll(fix(test.text), `"K"`, `"`+key+`"`)
			want := strings.ReplaceAll(fix(test.want), `"K"`, `"`+key+`"`)
			got, err := addPeer([]byte(text), peersOf(t, text), peer)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			peers := peersOf(t, string(got))
			if len(peers) == 0 || peers[len(peers)-1] != peer {
				t.Errorf("the list is %v", peers)
			}
		})
	}
}

func TestClientIsRemovedWithLayoutKept(t *testing.T) {
	keys := []string{NewPrivateKey().Public().String(), NewPrivateKey().Public().String(), NewPrivateKey().Public().String()}
	fix := strings.NewReplacer( // in one pass: a key may have K1 in it
		"K0", `"`+keys[0]+`"`, "K1", `"`+keys[1]+`"`, "K2", `"`+keys[2]+`"`,
	).Replace
	tests := []struct {
		name, text string
		at         int
		want       string
	}{
		{"the middle one", "clients: # who\n  # first\n  - {name: a, public_key: K0}\n  # second\n  - {name: b, public_key: K1}  # gone\n  - {name: c, public_key: K2}\n", 1,
			"clients: # who\n  # first\n  - {name: a, public_key: K0}\n  # second\n  - {name: c, public_key: K2}\n"},
		{"the last one", "clients:\n  - name: a\n    public_key: K0\n  - name: b\n    public_key: K1\n\nlog:   {}\n", 1,
			"clients:\n  - name: a\n    public_key: K0\n\nlog:   {}\n"},
		{"the only one", "clients:\n  - {name: a, public_key: K0}\nlog: {}\n", 0, "clients:\nlog: {}\n"},
		{"from a flow list: written anew", "clients: [{name: a, public_key: K0}, {name: b, public_key: K1}] # who\n", 0,
			"clients: [{name: b, public_key: K1}] # who\n"},
		{"dash on a line of its own: written anew", "clients:\n  -\n    name: a\n    public_key: K0\n  - {name: b, public_key: K1}\n", 0,
			"clients:\n  - {name: b, public_key: K1}\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			text, want := fix(test.text), fix(test.want)
			got, err := removePeer([]byte(text), peersOf(t, text), test.at)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestNamesThatYAMLWouldReadAsSomethingElseAreQuoted(t *testing.T) {
	for _, name := range []string{"1", "true", "null", "1.5", "0x10", "2024-01-01", "no", "home", "1e3"} {
		peer := Peer{Name: name, PublicKey: NewPrivateKey().Public()}
		text, err := addPeer([]byte("clients: []\n"), nil, peer)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if peers := peersOf(t, string(text)); len(peers) != 1 || peers[0] != peer {
			t.Errorf("%s: comes back as %v from\n%s", name, peers, text)
		}
	}
}

// FuzzPeerList adds a client to, and removes it from, any file that loads: nothing else changes.
func FuzzPeerList(f *testing.F) {
	f.Add("clients: []\n")
	f.Add("clients:\n  - {name: a, public_key: \"" + testKey + "\"}\nlog: {level: info}\n")
	f.Add("{clients: [{name: a, public_key: \"" + testKey + "\"}], log: {}}")
	f.Add("log: {}\n# end")
	f.Fuzz(func(t *testing.T, text string) {
		s, d := DefaultServer(), newDocument("f")
		d.yaml("", []byte(text), reflect.ValueOf(&s).Elem(), d.at)
		s.check(d)
		if d.err() != nil {
			return
		}
		peer := Peer{Name: "new.client", PublicKey: NewPrivateKey().Public()}
		added, err := addPeer([]byte(text), s.Clients, peer)
		if err != nil {
			return
		}
		want := append(append([]Peer(nil), s.Clients...), peer)
		if !sameBut([]byte(text), added, want) {
			t.Fatalf("adding changed more:\n%s\n%s", text, added)
		}
		removed, err := removePeer(added, want, len(want)-1)
		if err == nil && !sameBut([]byte(text), removed, s.Clients) {
			t.Fatalf("removing changed more:\n%s\n%s", added, removed)
		}
	})
}
