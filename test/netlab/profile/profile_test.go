package profile_test

import (
	"testing"

	"hawser/test/netlab/profile"
)

func TestProfilesAreThoseOfTheTargets(t *testing.T) {
	want := map[string]string{
		"P1":        "50/10/0 + 50/10/0",
		"P2":        "100/8/0 + 30/30/0.1",
		"P3 lossy":  "50/10/0 + 50/10/1",
		"P3 jitter": "100/8/0 jitter 2 + 50/20/0 jitter 10 + 30/40/0 jitter 10",
		"P4":        "200/5/0 + 20/100/0 queue 200",
		"P5.1":      "100/10/0 + 100/10/0",
		"P5.2":      "100/10/0 + 100/10/1",
		"P5.3":      "100/10/0 + 100/50/0",
		"P5.4":      "100/10/0 + 30/30/0.5",
		"P5.5":      "100/10/0 + 20/100/0",
		"P5.6":      "100/10/0 + 10/150/2",
		"P5.7":      "100/10/0 + 50/25/0 jitter 20",
		"P5.8":      "100/10/0 + 5/40/0 queue 1000",
		"P5.9":      "30/30/0 + 100/10/0",
		"P5.10":     "30/30/0 + 100/10/1",
		"P5.11":     "30/30/0 + 100/50/0",
		"P5.12":     "30/30/0 + 30/30/0.5",
		"P5.13":     "30/30/0 + 20/100/0",
		"P5.14":     "30/30/0 + 10/150/2",
		"P5.15":     "30/30/0 + 50/25/0 jitter 20",
		"P5.16":     "30/30/0 + 5/40/0 queue 1000",
	}
	all := append(profile.Named(), profile.Pairs()...)
	for _, p := range all {
		if got, want := p.String(), p.Name+": "+want[p.Name]; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if p.Rate() > 300*profile.Mbit {
			t.Errorf("%s: more than 300 Mbit/s measure the emulator", p)
		}
	}
	if len(all) != len(want) {
		t.Errorf("%d profiles, want %d", len(all), len(want))
	}
}

func TestQueuesFollowTheConvention(t *testing.T) {
	for _, tt := range []struct {
		profile profile.Profile
		link    int
		want    int
	}{
		{profile.CableLTE(), 0, 300_000},         // 1.5 × 12.5 MB/s × 16 ms
		{profile.CableLTE(), 1, 337_500},         // 1.5 × 3.75 MB/s × 60 ms
		{profile.FastSlow(), 1, 500_000},         // 2.5 MB/s × 200 ms
		{profile.Pairs()[7], 1, 625_000},         // 0.625 MB/s × 1 s
		{profile.TwoEqualOneLossy(), 1, 187_500}, // loss changes nothing
	} {
		if got := tt.profile.Links[tt.link].QueueBytes; got != tt.want {
			t.Errorf("%s: link %d has a queue of %d bytes, want %d", tt.profile, tt.link, got, tt.want)
		}
	}
}

func TestQueueHoldsAtLeastThirtyFrames(t *testing.T) {
	if got, want := profile.New(profile.Mbit, 0).QueueBytes, 30*profile.FrameSize; got != want {
		t.Errorf("queue of %d bytes, want %d", got, want)
	}
}

func TestBestIsTheQuickestThenTheShortest(t *testing.T) {
	for name, want := range map[string]int{"P5.3": 0, "P5.10": 1, "P5.13": 0, "P4": 0} {
		for _, p := range append(profile.Named(), profile.Pairs()...) {
			if p.Name == name && p.Best() != want {
				t.Errorf("%s: best is link %d, want %d", p, p.Best(), want)
			}
		}
	}
}
