package arch

import (
	"strings"
	"testing"
)

func TestImpureFindsWhatAMachineMustNotHave(t *testing.T) {
	tree := sample(t,
		"cc/bad.go", `package cc
import (
	"sync"
	"net/http"
	clock "time"
	"github.com/rs/zerolog/log"
)
var _ sync.Mutex
var _ http.Client
var _ = log.Logger
func f(c chan int) {
	go f(nil)
	_ = clock.Now()
	clock.Sleep(clock.Second)
	select {}
}
`,
		"cc/good.go", "package cc\nimport (\"net/netip\"; \"time\")\nvar _ netip.Addr\nfunc g(now time.Time) time.Time { return now.Add(time.Second) }\n",
		"cc/good_test.go", "package cc\nimport \"sync\"\nvar _ sync.Mutex\n",
		"mptcp/loop.go", "package mptcp\nimport \"sync\"\nvar _ sync.Mutex\n",
		"scheduler/dot.go", "package scheduler\nimport . \"time\"\nvar _ = Second\n")
	want(t, Impure(tree),
		"cc/bad.go:3: pure package imports sync",
		"cc/bad.go:4: pure package imports net/http",
		"cc/bad.go:6: pure package imports github.com/rs/zerolog/log",
		"cc/bad.go:11: pure package has a channel",
		"cc/bad.go:12: pure package has a go statement",
		"cc/bad.go:13: pure package has time.Now",
		"cc/bad.go:14: pure package has time.Sleep",
		"cc/bad.go:15: pure package has a select",
		"imports time with a dot")
}

func TestBreachesFindsImportsThatClimb(t *testing.T) {
	tree := sample(t,
		"transport/wire/a.go", "package wire\nimport _ \"hawser/transport\"\n",
		"transport/plain/a.go", "package plain\nimport (_ \"hawser/transport/wire\"; _ \"hawser/cc\"; _ \"hawser/mptcp\")\n",
		"mptcp/a.go", "package mptcp\nimport (_ \"hawser/transport/wire\"; _ \"hawser/transport/plain\")\n",
		"mptcp/a_test.go", "package mptcp\nimport _ \"hawser/transport/plain\"\n",
		"proxy/tunnel/a.go", "package tunnel\nimport (_ \"hawser/mptcp\"; _ \"hawser/scheduler\")\n",
		"proxy/admin/client/a.go", "package client\nimport (_ \"hawser/proxy/admin\"; _ \"hawser/cmd/client\")\n",
		"cmd/client/a.go", "package main\nimport (_ \"hawser/proxy/tunnel\"; _ \"hawser/test/netlab\")\n",
		"test/e2e/a.go", "package e2e\nimport (_ \"hawser/mptcp\"; _ \"hawser/test/netlab\")\n",
		"extra/a.go", "package extra\n")
	want(t, Breaches(tree, Walls),
		"cmd/client may not import hawser/test/netlab",
		"package extra stands on no floor",
		"mptcp may not import hawser/transport/plain",
		"proxy/admin/client may not import hawser/cmd/client",
		"proxy/tunnel may not import hawser/scheduler",
		"transport/plain may not import hawser/mptcp",
		"transport/wire may not import hawser/transport")
}

func TestSocketsFindsASessionThatDials(t *testing.T) {
	tree := sample(t,
		"mptcp/a.go", `package mptcp
import (
	"net"
	"golang.org/x/sys/unix"
	"syscall"
)
var _ error = syscall.ECONNRESET
var _ = syscall.Socket
var _ net.Listener
var _ net.Dialer
var _ = net.Listen
var _ = unix.AF_INET
`,
		"proxy/egress/a.go", "package egress\nimport \"net\"\nvar _ = net.Dial\n")
	want(t, Sockets(tree),
		"mptcp/a.go:4: mptcp imports golang.org/x/sys/unix",
		"mptcp/a.go:8: mptcp uses syscall.Socket",
		"mptcp/a.go:10: mptcp uses net.Dialer",
		"mptcp/a.go:11: mptcp uses net.Listen")
}

func TestClockReadsFindsASessionThatAsksForTheTime(t *testing.T) {
	tree := sample(t,
		"mptcp/loop.go", "package mptcp\nimport \"time\"\nvar _ = time.Now\n",
		"mptcp/rtt.go", "package mptcp\nimport \"time\"\nvar _ = time.Second\nvar _ = time.Since\n",
		"mptcp/core.go", "package mptcp\n")
	want(t, ClockReads(tree, map[string]string{"mptcp/loop.go": "the loop", "mptcp/core.go": "none"}),
		"mptcp/rtt.go:4: time.Since outside the loop", "mptcp/core.go: may read the clock and does not")
}

func TestTooLongFindsLongFilesAndFunctions(t *testing.T) {
	body := func(n int) string { return "{\n" + strings.Repeat("\tg()\n", n-2) + "}\n" }
	tree := sample(t,
		"cc/file.go", "package cc\n"+strings.Repeat("// line\n", MaxFile),
		"cc/func.go", "package cc\nfunc f() "+body(MaxFunc+1)+"func (m *M[T]) Run() "+body(MaxFunc+1)+"func ok() "+body(MaxFunc),
		"cc/f_test.go", "package cc\nfunc TestA() "+body(MaxTestFunc)+"func TestB() "+body(MaxTestFunc+1))
	all := []string{
		"cc/f_test.go:TestB: function has 151 lines",
		"cc/file.go: file has 401 lines",
		"cc/func.go:f: function has 81 lines",
		"cc/func.go:M.Run: function has 81 lines",
	}
	want(t, TooLong(tree, nil), all...)
	t.Log("# an excuse silences one violation; one that nothing needs is a violation itself")
	want(t, TooLong(tree, Long{"cc/func.go:f": "flat switch", "cc/func.go:ok": "none"}),
		all[0], all[1], all[3], "cc/func.go:ok: is excused from the limit of length and does not need it")
}

func TestSleepsFindsATestThatSleeps(t *testing.T) {
	const sleep = "import \"time\"\nfunc TestA(t *testing.T) { time.Sleep(1) }\n"
	tree := sample(t,
		"mptcp/a_test.go", "package mptcp\n"+sleep,
		"mptcp/c.go", "package mptcp\n"+sleep,
		"test/e2e/a_test.go", "package e2e\n"+sleep,
		"cc/bubble_test.go", `package cc
import "testing/synctest"
func bubble(t *testing.T, f func()) { synctest.Test(t, f) }
`,
		"cc/a_test.go", `package cc
import "time"
func pause() { time.Sleep(1) }
func TestReal(t *testing.T) { pause() }
func TestVirtual(t *testing.T) { bubble(t, func() { wait() }) }
func wait() { time.Sleep(1) }
`)
	want(t, Sleeps(tree),
		"cc/a_test.go:3: pause sleeps in real time",
		"mptcp/a_test.go:3: TestA sleeps in real time")
}

func TestLeftOpenFindsMarksAndPaths(t *testing.T) {
	open, home := "TO"+"DO", "/ho"+"me/"
	tree := sample(t,
		"docs/a.md", "# Title\n\n"+open+": write this\nsee "+home+"me/notes and 10.0.0.0/8\n",
		"cc/a.go", "package cc\n\n// "+open+"LIST is a word of its own.\nconst p = \"/etc/hawser\"\n")
	want(t, LeftOpen(tree), "docs/a.md:3: left open", "docs/a.md:4: a path of one machine")
}

func TestUnexplainedFindsPackagesWithoutComment(t *testing.T) {
	tree := sample(t,
		"cc/doc.go", "// Package cc is explained.\npackage cc\n",
		"cc/a_test.go", "package cc_test\n",
		"cmd/client/main.go", "// Command hawser-client is the local proxy.\npackage main\n",
		"cmd/server/main.go", "// It runs.\npackage main\n",
		"mptcp/a.go", "package mptcp\n")
	want(t, Unexplained(tree), "cmd/server: package main has no package comment", "mptcp: package mptcp has no package comment")
}

func TestUnfuzzedFindsParsersWithoutTarget(t *testing.T) {
	tree := sample(t,
		"transport/wire/a.go", `package wire
import ("io"; "net")
func Consume(b []byte) int { return consumeDSS(b) }
func consumeDSS(b []byte) int { return len(b) }
func ParseText(s string) {}
func readPreface(r io.Reader) {}
func (c *Conn) ReadBatch(b []byte) {}
func (c *Conn) readLoop() {}
func (c *Conn) readHeader() (int, error) { return 0, nil }
func (c *Conn) decode() {}
func (c *Conn) Read(b []byte) (int, error) { return 0, nil }
func Readable(c net.Conn) bool { return true }
func ParseTable() {}
`,
		"transport/wire/a_test.go", `package wire_test
import ("testing"; "hawser/transport/wire")
func FuzzConsume(f *testing.F) { wire.Consume(nil) }
func FuzzOther(f *testing.F) {}
`,
		"configs/a.go", "package configs\nfunc Parse(b []byte) {}\n")
	const missing = "parses input and is not in the registry"
	want(t, Unfuzzed(tree, []Parser{
		{Func: "transport/wire.Consume", Target: "transport/wire.FuzzConsume"},
		{Func: "transport/wire.consumeDSS", Target: "transport/wire.FuzzConsume"},
		{Func: "transport/wire.ParseText", Target: "transport/wire.FuzzOther"},
		{Func: "transport/wire.readPreface", Target: "transport/wire.FuzzNone"},
		{Func: "transport/wire.Conn.readHeader", Trusted: "its own output"},
		{Func: "transport/wire.Conn.decode"},
		{Func: "transport/wire.Gone", Target: "transport/wire.FuzzConsume"},
	}),
		"wire.ParseText: its fuzz target transport/wire.FuzzOther does not reach it",
		"wire.readPreface: its fuzz target transport/wire.FuzzNone does not exist",
		"wire.Conn.decode: needs either a fuzz target or a reason",
		"wire.Gone: is listed as a parser and does not exist")
	want(t, Unfuzzed(tree, nil),
		"transport/wire.Consume "+missing, "transport/wire.consumeDSS "+missing, "transport/wire.ParseText "+missing,
		"transport/wire.readPreface "+missing, "transport/wire.Conn.readHeader "+missing, "transport/wire.Conn.decode "+missing)
}

func TestFuzzTargetsAreFound(t *testing.T) {
	tree := sample(t,
		"cc/a_test.go", "package cc\nfunc FuzzB(f *testing.F) {}\nfunc (t T) FuzzMethod() {}\nfunc TestA(t *testing.T) {}\n",
		"cc/b.go", "package cc\nfunc FuzzNoTest() {}\n")
	if got := FuzzTargets(tree); len(got) != 1 || got[0] != (Target{Dir: "cc", Name: "FuzzB"}) {
		t.Errorf("targets are %v, want cc FuzzB", got)
	}
}
