package mptcp

import (
	"testing"
	"time"

	"hawser/transport"
)

func TestUplinkWithAnImpostorEntersTheNextRaceLater(t *testing.T) {
	m, src := newTestManager()
	paths := []transport.Path{way(1, "192.0.2.1", "198.51.100.1:7444"), way(2, "192.0.2.2", "198.51.100.1:7444")}
	m.impostor(paths[0])
	if len(src.reports) != 1 || src.reports[0] == nil {
		t.Fatalf("reports %v, want the way to be reported", src.reports)
	}
	if todo := m.plan(epoch, paths, nil, true); len(todo) != 1 || todo[0].path != paths[1] {
		t.Fatalf("plan %+v, want the other uplink alone", todo)
	}
	m.attempts = make(map[uint8]*attempt)
	if todo := m.plan(epoch.Add(unprovedDelay), paths, nil, true); len(todo) != 2 {
		t.Fatalf("plan %+v, want both after the delay: the other uplink may be dead", todo)
	}
	m.impostor(paths[1]) // nobody is trusted more than anybody: nobody waits
	m.attempts = make(map[uint8]*attempt)
	if todo := m.plan(epoch, paths, nil, true); len(todo) != 2 {
		t.Fatalf("plan %+v, want both at once", todo)
	}
	m.authenticated(&subflow{path: paths[0], initial: true})
	m.attempts = make(map[uint8]*attempt)
	if todo := m.plan(epoch, paths, nil, true); len(todo) != 1 || todo[0].path != paths[0] {
		t.Fatalf("plan %+v, want the uplink that led to the server", todo)
	}
	m.attempts = make(map[uint8]*attempt)
	if todo := m.plan(epoch.Add(time.Millisecond), paths, nil, false); len(todo) != 2 {
		t.Fatalf("plan %+v, want joins, which prove the server by their HMAC, not to wait", todo)
	}
}
