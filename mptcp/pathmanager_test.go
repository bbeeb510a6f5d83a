package mptcp

import (
	"net/netip"
	"testing"
	"time"

	"hawser/transport"
)

// listSource is a PathSource with a fixed list.
type listSource struct {
	paths   []transport.Path
	reports []error
}

func (l *listSource) Paths() []transport.Path            { return l.paths }
func (l *listSource) Watch(func()) (stop func())         { return func() {} }
func (l *listSource) Report(_ transport.Path, err error) { l.reports = append(l.reports, err) }
func way(id uint8, local, remote string) transport.Path {
	return transport.Path{ID: id, Uplink: "u", Local: netip.MustParseAddr(local), Remote: netip.MustParseAddrPort(remote)}
}

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func newTestManager() (*pathManager, *listSource) {
	src := &listSource{}
	m := newPathManager(src, epoch)
	m.jitter = func() float64 { return 0.5 } // no spread
	return m, src
}

func TestPathSourceIsAskedOnlyAfterAChange(t *testing.T) {
	m, src := newTestManager()
	src.paths = []transport.Path{way(1, "192.0.2.1", "198.51.100.1:7444")}
	if got := m.current(); len(got) != 1 {
		t.Fatalf("at first %v, want the source's one", got)
	}
	src.paths = append(src.paths, way(2, "192.0.2.2", "198.51.100.1:7444"))
	if got := m.current(); len(got) != 1 {
		t.Errorf("the source was asked although it had told of no change: %v", got)
	}
	m.stale.Store(true) // what Watch does
	if got := m.current(); len(got) != 2 {
		t.Errorf("after a change %v, want both", got)
	}
}

func TestPathManagerJoinsEveryUplinkOnce(t *testing.T) {
	m, _ := newTestManager()
	paths := []transport.Path{
		way(1, "192.0.2.1", "198.51.100.1:7444"), way(1, "192.0.2.1", "198.51.100.2:7444"),
		way(2, "192.0.2.2", "198.51.100.1:7444"),
	}
	subs := []*subflow{{path: paths[0], phase: phaseActive}}
	todo := m.plan(epoch, paths, subs, false)
	if len(todo) != 1 || !todo[0].open || todo[0].path != paths[2] || todo[0].initial {
		t.Fatalf("plan %+v, want one join over the second uplink", todo)
	}
}

func TestPathManagerRetriesEverySecondForTenMinutes(t *testing.T) {
	m, src := newTestManager()
	paths := []transport.Path{way(1, "192.0.2.1", "198.51.100.1:7444")}
	now := epoch
	tries := 0
	for now.Before(epoch.Add(retryPatient)) {
		if todo := m.plan(now, paths, nil, false); len(todo) == 1 {
			tries++
			m.failed(now, &subflow{path: paths[0]}, false)
		}
		now = now.Add(100 * time.Millisecond)
	}
	if tries != 600 {
		t.Fatalf("%d tries in ten minutes, want one a second", tries)
	}
	now = now.Add(time.Second)
	m.plan(now, paths, nil, false)
	m.failed(now, &subflow{path: paths[0]}, false)
	if todo := m.plan(now.Add(9*time.Second), paths, nil, false); len(todo) != 0 {
		t.Fatal("after ten minutes a try came within 10 s")
	}
	if todo := m.plan(now.Add(10*time.Second), paths, nil, false); len(todo) != 1 {
		t.Fatal("after ten minutes no try came after 10 s")
	}
	if len(src.reports) != tries+1 || src.reports[0] == nil {
		t.Fatalf("%d failures were reported, want %d", len(src.reports), tries+1)
	}
}

func TestPathManagerRedialsALostPathAtOnce(t *testing.T) {
	m, _ := newTestManager()
	paths := []transport.Path{way(1, "192.0.2.1", "198.51.100.1:7444")}
	m.failed(epoch, &subflow{path: paths[0]}, true)
	if todo := m.plan(epoch, paths, nil, false); len(todo) != 1 {
		t.Fatalf("plan %+v, want a join at once", todo)
	}
}

func TestPathManagerBacksOffAfterRefusals(t *testing.T) {
	m, _ := newTestManager()
	paths := []transport.Path{way(1, "192.0.2.1", "198.51.100.1:7444")}
	s := &subflow{path: paths[0]}
	now := epoch
	for _, want := range []time.Duration{2, 4, 8, 16, 30, 30} {
		m.refused(s, 1)
		m.failed(now, s, false)
		if todo := m.plan(now.Add(want*time.Second-time.Millisecond), paths, nil, false); len(todo) != 0 {
			t.Fatalf("a try came before %d s", want)
		}
		now = now.Add(want * time.Second)
		if todo := m.plan(now, paths, nil, false); len(todo) != 1 {
			t.Fatalf("no try after %d s", want)
		}
	}
	m.worked(s)
	m.failed(now, s, false)
	if todo := m.plan(now.Add(retryWait), paths, nil, false); len(todo) != 1 {
		t.Fatal("success did not end the back-off")
	}
}

func TestPathManagerDropsWhatItsUplinkHasLost(t *testing.T) {
	m, _ := newTestManager()
	old := way(1, "192.0.2.1", "198.51.100.1:7444")
	renumbered := way(1, "192.0.2.99", "198.51.100.1:7444")
	s := &subflow{path: old, phase: phaseActive}
	todo := m.plan(epoch, []transport.Path{renumbered}, []*subflow{s}, false)
	if len(todo) != 2 || todo[0].drop != s || !todo[1].open || todo[1].path != renumbered {
		t.Fatalf("plan %+v, want the old subflow dropped and the new address joined", todo)
	}
	if todo := m.plan(epoch, nil, []*subflow{s}, false); len(todo) != 1 || todo[0].drop != s {
		t.Fatalf("plan %+v, want the subflow of the lost uplink dropped", todo)
	}
}

func TestPathManagerRacesTheFirstHandshake(t *testing.T) {
	m, _ := newTestManager()
	a1, a2 := way(1, "192.0.2.1", "198.51.100.1:7444"), way(1, "192.0.2.1", "198.51.100.2:7444")
	b := way(2, "192.0.2.2", "198.51.100.1:7444")
	b.Backup = true
	paths := []transport.Path{a1, a2, b}
	todo := m.plan(epoch, paths, nil, true)
	if len(todo) != 1 || todo[0].path != a1 || !todo[0].initial {
		t.Fatalf("plan %+v, want the first way of the regular uplink", todo)
	}
	subs := []*subflow{{path: a1}}
	if d := m.deadline; d != epoch.Add(raceStagger) {
		t.Fatalf("deadline %v, want the stagger", d.Sub(epoch))
	}
	if todo = m.plan(epoch.Add(raceStagger), paths, subs, true); len(todo) != 1 || todo[0].path != a2 {
		t.Fatalf("plan %+v, want the second way after the stagger", todo)
	}
	if todo = m.plan(epoch.Add(backupDelay), paths, subs, true); len(todo) != 1 || todo[0].path != b {
		t.Fatalf("plan %+v, want the backup uplink after its delay", todo)
	}
}
