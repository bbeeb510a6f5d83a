package uplink_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hawser/transport/uplink"
	"hawser/transport/uplink/uplinktest"
)

// zone is a name service for tests: per uplink what it answers.
type zone struct {
	mu      sync.Mutex
	answers map[string]string // uplink → addresses, or "!error"
	delay   time.Duration
	asked   []string
}

func (z *zone) lookup(_ context.Context, u uplink.Uplink, network, host string) ([]netip.Addr, error) {
	time.Sleep(z.delay)
	z.mu.Lock()
	defer z.mu.Unlock()
	z.asked = append(z.asked, fmt.Sprintf("%s %s %s", u.Name, network, host))
	text := z.answers[u.Name]
	if msg, failed := strings.CutPrefix(text, "!"); failed {
		return nil, errors.New(msg)
	}
	var as []netip.Addr
	for s := range strings.FieldsSeq(text) {
		as = append(as, netip.MustParseAddr(s))
	}
	return as, nil
}

func (z *zone) set(name, text string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.answers[name] = text
}

// questions returns what was asked since the last call, sorted.
func (z *zone) questions() []string {
	z.mu.Lock()
	defer z.mu.Unlock()
	q := z.asked
	z.asked = nil
	slices.Sort(q)
	return q
}

// run starts Targets in a synctest bubble and ends it with the test.
func run(t *testing.T, src uplink.Source, cfg uplink.TargetsConfig) *uplink.Targets {
	t.Helper()
	ts := uplink.NewTargets(src, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- ts.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run returned %v", err)
		}
	})
	synctest.Wait()
	return ts
}

func wantPaths(t *testing.T, why string, ts *uplink.Targets, want ...string) {
	t.Helper()
	var got []string
	for _, p := range ts.Paths() {
		got = append(got, p.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: paths\n%s\nwant\n%s", why, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func wantStates(t *testing.T, why string, ts *uplink.Targets, want ...string) {
	t.Helper()
	var got []string
	for _, u := range ts.Uplinks() {
		got = append(got, strings.TrimSuffix(fmt.Sprintf("%s %s: %s", u.Name, u.State, u.Reason), ": "))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: uplinks\n%s\nwant\n%s", why, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func wantQuestions(t *testing.T, why string, z *zone, want ...string) {
	t.Helper()
	if got := z.questions(); !slices.Equal(got, want) {
		t.Errorf("%s: asked %q, want %q", why, got, want)
	}
}

func TestLiteralsNeedNoRun(t *testing.T) {
	src := uplinktest.NewSet(uplinktest.Up(1, "dsl", "192.0.2.7", "2001:db8::7"), uplinktest.Up(2, "lte", "10.64.0.9"))
	ts := uplink.NewTargets(src, uplink.TargetsConfig{Addresses: []string{"198.51.100.1", "2001:db8:9::1"}, PlainPort: 7444})
	wantPaths(t, "at once", ts,
		"dsl 192.0.2.7→198.51.100.1:7444", "dsl 2001:db8::7→[2001:db8:9::1]:7444", "lte 10.64.0.9→198.51.100.1:7444")
	p := ts.Paths()[2]
	if p.ID != 2 || p.Interface != "lte" || p.Carrier != "plain" || p.Backup {
		t.Errorf("path is %+v", p)
	}
}

func TestReportsTurnTheOrderPerUplink(t *testing.T) {
	src := uplinktest.NewSet(uplinktest.Up(1, "dsl", "192.0.2.7"), uplinktest.Up(2, "lte", "10.64.0.9"))
	ts := uplink.NewTargets(src, uplink.TargetsConfig{Addresses: []string{"198.51.100.1", "198.51.100.2"}, PlainPort: 7444})
	calls := 0
	ts.Watch(func() { calls++ })
	refused := errors.New("connection refused")

	first := ts.Paths()[0]
	ts.Report(first, refused)
	wantPaths(t, "dsl turned, lte did not", ts,
		"dsl 192.0.2.7→198.51.100.2:7444", "dsl 192.0.2.7→198.51.100.1:7444",
		"lte 10.64.0.9→198.51.100.1:7444", "lte 10.64.0.9→198.51.100.2:7444")
	wantStates(t, "after a failure", ts, "dsl connecting: 198.51.100.1:7444: connection refused",
		"lte connecting: no server address has answered yet")
	ts.Report(first, refused)
	if calls != 1 {
		t.Errorf("%d calls, want 1: the second report changes no path", calls)
	}
	ts.Report(first, nil)
	wantPaths(t, "what works comes first", ts,
		"dsl 192.0.2.7→198.51.100.1:7444", "dsl 192.0.2.7→198.51.100.2:7444",
		"lte 10.64.0.9→198.51.100.1:7444", "lte 10.64.0.9→198.51.100.2:7444")
	wantStates(t, "after a success", ts, "dsl up", "lte connecting: no server address has answered yet")

	t.Logf("# a report about a path that is gone says nothing")
	src.Replace(uplinktest.Up(1, "dsl", "192.0.2.8"), uplinktest.Up(2, "lte", "10.64.0.9"))
	ts = uplink.NewTargets(src, uplink.TargetsConfig{Addresses: []string{"198.51.100.1"}, PlainPort: 7444})
	ts.Report(first, refused)
	wantStates(t, "stale report", ts, "dsl connecting: no server address has answered yet",
		"lte connecting: no server address has answered yet")
}

func TestWayWithoutARouteIsLeftOut(t *testing.T) {
	src := uplinktest.NewSet(uplinktest.Up(1, "dsl", "192.0.2.7"), uplinktest.Up(2, "six", "2001:db8::7"))
	src.SetRoute(func(u uplink.Uplink, local, remote netip.Addr) error {
		if remote.String() == "198.51.100.1" {
			return fmt.Errorf("no route to %s from %s", remote, local)
		}
		return nil
	})
	ts := uplink.NewTargets(src, uplink.TargetsConfig{Addresses: []string{"198.51.100.1"}, PlainPort: 7444})
	wantPaths(t, "none", ts)
	wantStates(t, "the reason", ts, "dsl waiting: no route to 198.51.100.1 from 192.0.2.7",
		"six waiting: this uplink has no IPv4 address, which 198.51.100.1 needs")
}

func TestNamesAreResolvedThroughEachUplink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{answers: map[string]string{"dsl": "198.51.100.1 2001:db8:9::1", "lte": "!server misbehaving"}}
		src := uplinktest.NewSet(uplinktest.Up(1, "dsl", "192.0.2.7", "2001:db8::7"), uplinktest.Up(2, "lte", "10.64.0.9"))
		ts := run(t, src, uplink.TargetsConfig{Addresses: []string{"vps.example"}, PlainPort: 7444, Lookup: z.lookup})
		wantQuestions(t, "families of each uplink", z, "dsl ip vps.example", "lte ip4 vps.example")
		dsl := []string{"dsl 2001:db8::7→[2001:db8:9::1]:7444", "dsl 192.0.2.7→198.51.100.1:7444"}
		wantPaths(t, "lte borrows", ts, append(dsl, "lte 10.64.0.9→198.51.100.1:7444")...)

		t.Logf("# lte is asked again after 1 s, 2 s, 4 s; its own answer counts then")
		z.set("lte", "203.0.113.1")
		time.Sleep(time.Second)
		synctest.Wait()
		wantQuestions(t, "retry", z, "lte ip4 vps.example")
		wantPaths(t, "own answer", ts, append(dsl, "lte 10.64.0.9→203.0.113.1:7444")...)

		t.Logf("# all again after five minutes; the last good addresses are kept when that fails")
		ts.Report(ts.Paths()[2], nil)
		z.set("lte", "!server misbehaving")
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		wantQuestions(t, "refresh", z, "dsl ip vps.example", "lte ip4 vps.example")
		wantPaths(t, "kept", ts, append(dsl, "lte 10.64.0.9→203.0.113.1:7444")...)
		wantStates(t, "said", ts, "dsl connecting: no server address has answered yet",
			"lte up: server name vps.example: server misbehaving; the last good addresses are used")
	})
}

func TestResolveFailureIsTheReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{answers: map[string]string{"dsl": "!no such host"}}
		ts := run(t, uplinktest.NewSet(uplinktest.Up(1, "dsl", "192.0.2.7")),
			uplink.TargetsConfig{Addresses: []string{"vps.example"}, PlainPort: 7444, Lookup: z.lookup})
		wantPaths(t, "none", ts)
		wantStates(t, "the reason", ts, "dsl connecting: server name vps.example: no such host")
		z.questions()
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := len(z.questions()); n < 100 || n > 130 {
			t.Errorf("%d lookups in an hour, want one every 30 s", n)
		}
	})
}

func TestUplinkChangeAsksAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{answers: map[string]string{"dsl": "198.51.100.1"}, delay: time.Millisecond}
		src := uplinktest.NewSet(uplinktest.Up(1, "dsl", "192.0.2.7"))
		ts := run(t, src, uplink.TargetsConfig{Addresses: []string{"vps.example"}, PlainPort: 7444, Lookup: z.lookup})
		time.Sleep(z.delay)
		synctest.Wait()
		ts.Report(ts.Paths()[0], nil)
		z.questions()

		src.Down("dsl")
		wantPaths(t, "before Down returned", ts)
		wantStates(t, "down", ts, "dsl down: no carrier")
		synctest.Wait()
		wantQuestions(t, "a dead uplink", z)

		z.set("dsl", "198.51.100.2")
		src.Replace(uplinktest.Up(1, "dsl", "192.0.2.99"))
		wantPaths(t, "last good address until the answer", ts, "dsl 192.0.2.99→198.51.100.1:7444")
		time.Sleep(z.delay)
		synctest.Wait()
		wantQuestions(t, "another address", z, "dsl ip4 vps.example")
		wantPaths(t, "the one that authenticated stays first", ts,
			"dsl 192.0.2.99→198.51.100.1:7444", "dsl 192.0.2.99→198.51.100.2:7444")
		ts.Report(ts.Paths()[0], errors.New("timed out"))
		wantPaths(t, "until it fails", ts, "dsl 192.0.2.99→198.51.100.2:7444")
	})
}

func TestNamesAreAskedAgainWhenNothingAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{answers: map[string]string{"dsl": "198.51.100.1 198.51.100.2"}}
		src := uplinktest.NewSet(uplinktest.Up(1, "dsl", "192.0.2.7"))
		ts := run(t, src, uplink.TargetsConfig{Addresses: []string{"vps.example"}, PlainPort: 7444, Lookup: z.lookup})
		z.questions()
		ts.Report(ts.Paths()[0], errors.New("timed out"))
		time.Sleep(20 * time.Second)
		synctest.Wait()
		wantQuestions(t, "one of two failed", z)
		ts.Report(ts.Paths()[0], errors.New("timed out"))
		synctest.Wait()
		wantQuestions(t, "both failed", z, "dsl ip4 vps.example")
	})
}

func TestLookupOverAnUplinkThatChangedDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := make(chan string, 8)
		lookup := func(ctx context.Context, u uplink.Uplink, _, _ string) ([]netip.Addr, error) {
			asked <- u.V4[0].String()
			if u.V4[0].String() == "192.0.2.7" {
				<-ctx.Done() // until the change
				return []netip.Addr{netip.MustParseAddr("203.0.113.66")}, nil
			}
			return []netip.Addr{netip.MustParseAddr("198.51.100.1")}, nil
		}
		src := uplinktest.NewSet(uplinktest.Up(1, "dsl", "192.0.2.7"))
		ts := run(t, src, uplink.TargetsConfig{Addresses: []string{"vps.example"}, PlainPort: 7444, Lookup: lookup})
		wantStates(t, "before", ts, "dsl connecting: the server's name is being resolved")
		src.Replace(uplinktest.Up(1, "dsl", "192.0.2.8"))
		synctest.Wait()
		wantPaths(t, "the new one's answer", ts, "dsl 192.0.2.8→198.51.100.1:7444")
		if a, b := <-asked, <-asked; a != "192.0.2.7" || b != "192.0.2.8" || len(asked) != 0 {
			t.Errorf("asked from %s, %s and %d more", a, b, len(asked))
		}
	})
}
