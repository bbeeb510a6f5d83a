package rawtcp

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"hawser/transport/packettest"
)

// A verdict needs one cut of a connection that this side has opened, or cuts of several strangers, and no flow that a
// firewall would not have let live.
func TestVerdicts(t *testing.T) {
	const index = 3
	addr := netip.MustParseAddr
	stranger := func(a string) func(*verdicts, *pathWithModes) {
		return func(v *verdicts, p *pathWithModes) { v.cut(p, index, addr(a), true, time.Now(), "cut") }
	}
	own := func(v *verdicts, p *pathWithModes) { v.cut(p, index, addr("192.0.2.1"), false, time.Now(), "cut") }
	begun := time.Time{}.Add(time.Second)
	outlived := func(v *verdicts, _ *pathWithModes) { v.outlived(index, time.Now(), time.Now()) }
	raw := func(v *verdicts, _ *pathWithModes) { v.outlived(index, begun, time.Now()) } // it began before all else
	later := func(d time.Duration) func(*verdicts, *pathWithModes) {
		return func(*verdicts, *pathWithModes) { time.Sleep(d); synctest.Wait() }
	}
	a, b, c := stranger("192.0.2.1"), stranger("192.0.2.2"), stranger("192.0.2.3")
	for _, one := range []struct {
		name     string
		story    []func(*verdicts, *pathWithModes)
		degraded bool
	}{
		{"our own connection", list(own), true},
		{"one stranger, often", list(a, a, a, a), false},
		{"three strangers", list(a, b, c), true},
		{"one network of IPv6, three addresses", list(stranger("2001:db8::1"), stranger("2001:db8::2"), stranger("2001:db8::3")), false},
		{"a flow has outlived it", list(outlived, own, a, b, c), false},
		{"one has between two strangers", list(a, b, outlived, later(acquittalTime), c), false},
		{"that was long ago", list(outlived, later(acquittalTime), own), true},
		{"the verdict is over", list(own, later(verdictTime+time.Second)), false},
		{"a flow lives during the verdict, and another cut comes after it", list(own, outlived, later(verdictTime+time.Second), own), true},
		{"a flow of before the verdict's end lives after it", list(own, later(verdictTime+time.Second), raw, own), true},
		{"it is over, and another cut comes", list(own, later(verdictTime+time.Second), own), true},
	} {
		t.Run(one.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var v verdicts
				defer v.close()
				var p pathWithModes
				for _, step := range one.story {
					step(&v, &p)
				}
				if got := p.reason != ""; got != one.degraded {
					t.Errorf("degraded: %v, want %v", got, one.degraded)
				}
			})
		})
	}
}

func list[T any](all ...T) []T { return all }

// A stranger who resets his connection to a server soon after its first data does not slow its interface down.
func TestAStrangersResetDegradesNothing(t *testing.T) {
	inBubble(t, 1, packettest.LinkConfig{Delay: 10 * time.Millisecond}, func(r *rig) {
		for range 2 * manyStrangers {
			client, server := r.connect()
			if _, err := server.Write([]byte("first")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
			client.Abort()
			<-server.Done()
		}
		if r.smodes.reason != "" {
			t.Errorf("degraded: %q", r.smodes.reason)
		}
	})
}

// A connection that goes on acquits its interface of later cuts.
func TestALivingConnectionAcquitsItsInterface(t *testing.T) {
	inBubble(t, 1, packettest.LinkConfig{Delay: 10 * time.Millisecond}, func(r *rig) {
		living, answers := r.connect()
		for range 6 {
			if _, err := living.Write([]byte("more")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		client, server := r.connect()
		if _, err := client.Write([]byte("first")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		server.Abort()
		<-client.Done()
		if r.modes.reason != "" {
			t.Errorf("degraded: %q", r.modes.reason)
		}
		_ = answers.Close()
	})
}
