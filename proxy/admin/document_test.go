package admin

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// document is what users read about the pages of this package.
func document(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../../docs/status-api.md")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestDocumentListsEveryMetricAndNoOther(t *testing.T) {
	reg := prometheus.NewRegistry()
	reg.MustRegister(NewCollector(fixed{status: sample()}))
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, f := range families {
		want = append(want, f.GetName())
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `(hawser_[a-z_]+)` \\|").FindAllSubmatch(document(t), -1) {
		got = append(got, string(m[1]))
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("documented %v\nexported   %v", got, want)
	}
}

func TestDocumentShowsAStatus(t *testing.T) {
	m := regexp.MustCompile("(?s)```json\n(.*?)```").FindSubmatch(document(t))
	if m == nil {
		t.Fatal("the document has no example")
	}
	var s Status
	d := json.NewDecoder(bytes.NewReader(m[1]))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		t.Fatal(err)
	}
	again, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(append(again, '\n'), m[1]) {
		t.Errorf("the example has other fields than the program:\n%s", again)
	}
}

func TestDocumentNamesEveryState(t *testing.T) {
	text := document(t)
	for _, state := range []string{
		string(UplinkWaiting), string(UplinkConnecting), string(UplinkUp), string(UplinkDegraded), string(UplinkDown), string(UplinkDisabled),
		string(SessionConnecting), string(SessionEstablished), string(SessionWaiting), string(SessionClosing),
		string(SubflowConnecting), string(SubflowJoining), string(SubflowActive), string(SubflowBackup), string(SubflowSuspect), string(SubflowDead),
	} {
		if !bytes.Contains(text, []byte("`"+state+"`")) {
			t.Errorf("state %s is not documented", state)
		}
	}
}
