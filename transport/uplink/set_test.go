package uplink

import (
	"errors"
	"slices"
	"testing"
)

// told collects what a Set tells.
type told struct {
	rows  []string
	calls int
}

func newTold(cfg ...Config) (*told, *Set) {
	l := &told{}
	s := NewSet(cfg, func(u Uplink) { l.rows = append(l.rows, row(u)) })
	s.Watch(func() { l.calls++ })
	return l, s
}

func (l *told) want(t *testing.T, why string, calls int, rows ...string) {
	t.Helper()
	if l.calls != calls || !slices.Equal(l.rows, rows) {
		t.Errorf("%s: %d calls and %q, want %d and %q", why, l.calls, l.rows, calls, rows)
	}
	l.calls, l.rows = 0, nil
}

func TestSetTellsChangesOnly(t *testing.T) {
	l, s := newTold(Config{Interface: "eth0"}, Config{Interface: "wwan0"})
	wantRows(t, s.Uplinks(), "eth0 #0 [] waiting: the interfaces have not been read yet",
		"wwan0 #0 [] waiting: the interfaces have not been read yet")

	m := machine()
	s.apply(m)
	l.want(t, "first snapshot", 1, eth0, wwan0)
	s.apply(machine())
	l.want(t, "the same again", 0)
	m.links[1].carrier = false
	s.apply(m)
	l.want(t, "cable pulled", 1, "eth0 eth0#2 [192.0.2.7 2001:db8::7] down: no carrier")
	s.fail(errors.New("no sockets"))
	l.want(t, "monitor failed", 1, "eth0 eth0#2 [192.0.2.7 2001:db8::7] down: the interfaces cannot be watched: no sockets")
	wantRows(t, s.Uplinks()[1:], wwan0)
}

func TestDiscoveredUplinkKeepsItsID(t *testing.T) {
	_, s := newTold()
	id := func(name string) uint8 {
		for _, u := range s.Uplinks() {
			if u.Name == name {
				return u.ID
			}
		}
		return 0
	}
	want := func(why, name string, want uint8) {
		t.Helper()
		if got := id(name); got != want {
			t.Errorf("%s: id of %s is %d, want %d", why, name, got, want)
		}
	}
	s.apply(machine())
	want("discovered", "eth0", 1)
	want("discovered", "wwan0", 2)

	gone := machine()
	gone.links = append(gone.links[:2:2], gone.links[3:]...)
	s.apply(gone)
	want("unplugged", "wwan0", 0)
	back := machine()
	back.links[2].index, back.defaults[1].index = 9, 9
	s.apply(back)
	want("back as another device", "wwan0", 2)

	back.links[2].name = "lte"
	s.apply(back)
	want("renamed", "lte", 2)
	want("renamed", "wwan0", 0)
}

func TestStoppedWatcherIsNotCalled(t *testing.T) {
	var w watchers
	n := 0
	stop := w.add(func() { n++ })
	w.add(func() { n += 10 })
	w.call()
	stop()
	w.call()
	if n != 21 {
		t.Errorf("calls add up to %d, want 21", n)
	}
}
