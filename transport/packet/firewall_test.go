package packet

import (
	"testing"
	"time"
)

func TestSuspicionFallsOnCutsSoonAfterTheFirstBurst(t *testing.T) {
	const rtt = 50 * time.Millisecond
	for _, c := range []struct {
		name  string
		story func(*Suspicion)
		at    time.Duration // of the cut
		want  bool
	}{
		{"refused before any data", func(*Suspicion) {}, rtt, false},
		{"one round trip after the first data", func(s *Suspicion) { s.Sent(start) }, rtt, true},
		{"an hour later", func(s *Suspicion) { s.Sent(start); s.Sent(start.Add(time.Hour)) }, time.Hour, false},
		{"as late as a firewall may be", func(s *Suspicion) { s.Sent(start) }, suspicionTime, true},
		{"later than that", func(s *Suspicion) { s.Sent(start) }, suspicionTime + rtt, false},
	} {
		var s Suspicion
		c.story(&s)
		at := start.Add(c.at)
		if got := s.Cut(at); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if sent := s != (Suspicion{}); s.Outlived(at) != (sent && !c.want) {
			t.Errorf("%s: outlived: %v", c.name, !c.want)
		}
	}
}
