package tunnel

import (
	"testing"
	"testing/synctest"
	"time"
)

// forgotten stalls every line there is for good, as a server does that has been started again; new ones work.
func (k *stack) forgotten() {
	for _, c := range k.net.Conns() {
		c.Stall(true)
	}
}

func TestForgottenSessionsAreReplaced(t *testing.T) {
	bothWays(t, poolFeatures{dark: true}, line, func(t *testing.T, k *stack) bool {
		old := k.established(2)
		k.forgotten()
		time.Sleep(darkTime + 2*lookDark + 10*line.Delay)
		fresh := 0
		for _, s := range k.pool.Stats().Sessions {
			if s.State == StateEstablished && s.ID != old[0].ID && s.ID != old[1].ID {
				fresh++
			}
		}
		t.Logf("%d new sessions", fresh)
		if fresh == 0 {
			return false
		}
		took := k.small()
		t.Logf("a stream took %v", took)
		return fresh == 2 && took < 4*line.Delay+10*time.Millisecond
	})
}

func TestShortOutageMakesNoSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newStack(t, line, nil)
		defer k.stop()
		k.established(2)
		for range 5 {
			k.net.SetDown(true)
			time.Sleep(darkTime - 100*time.Millisecond)
			k.net.SetDown(false)
			time.Sleep(3 * lookDark)
		}
		if n := len(k.pool.Stats().Sessions); n != 2 {
			t.Errorf("%d sessions after short outages, want 2", n)
		}
	})
}

func TestLongOutageMakesFewSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newStack(t, line, nil)
		defer k.stop()
		k.established(2)
		for range 10 {
			k.net.SetDown(true)
			time.Sleep(20 * time.Second)
			k.net.SetDown(false)
			time.Sleep(5 * time.Second)
			if n := len(k.pool.Stats().Sessions); n > 4 {
				t.Fatalf("%d sessions after an outage, want at most two beside the two", n)
			}
		}
		time.Sleep(2*idleTime + time.Second)
		if n := len(k.pool.Stats().Sessions); n != 2 {
			t.Errorf("%d sessions in the end, want 2", n)
		}
	})
}
