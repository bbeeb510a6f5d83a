package configs

import (
	"reflect"
	"strings"
	"testing"
)

func TestSuggestions(t *testing.T) {
	known := []string{"listen", "log", "users"}
	for word, want := range map[string]string{
		"listn":                   `did you mean "listen"?`,
		"logs":                    `did you mean "log"?`,
		"user":                    `did you mean "users"?`,
		"xyz":                     "known are listen, log, users",
		"":                        "known are listen, log, users",
		strings.Repeat("x", 1000): "known are listen, log, users",
	} {
		if got := suggest(word, known); got != want {
			t.Errorf("for %q: %s, want %s", word, got, want)
		}
	}
}

func TestErrorOfSeveralProblems(t *testing.T) {
	e := &Error{Problems: []Problem{{Where: "a:1:2", Key: "k", Text: "t"}, {Text: "u"}}}
	if got, want := e.Error(), "a:1:2: k: t\nu"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// FuzzYAML loads any text as either file: it never panics, and what is accepted obeys the rules when it is loaded
// again.
func FuzzYAML(f *testing.F) {
	f.Add(minimalClient)
	f.Add("listen: {raw: \":1\"}\nclients: [{name: a, public_key: \"" + testKey + "\"}]\n")
	f.Add("uplinks:\n  - eth0\n  - {name: a, source: 192.0.2.1}\n")
	f.Add("a: &a [*a]\nlisten: *a\n<<: {x: 1}\n--- !!binary x\n")
	f.Fuzz(func(t *testing.T, text string) {
		client, server := DefaultClient(), DefaultServer()
		for _, config := range []interface{ check(*document) }{&client, &server} {
			d := newDocument("f.yaml")
			d.yaml("", []byte(text), reflect.ValueOf(config).Elem(), d.at)
			config.check(d)
			if err := d.err(); err != nil {
				if err.Error() == "" {
					t.Error("an error without a text")
				}
				continue
			}
			again := newDocument("again")
			config.check(again)
			if err := again.err(); err != nil {
				t.Errorf("a second check fails: %v", err)
			}
		}
	})
}
