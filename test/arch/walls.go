package arch

import (
	"fmt"
	"slices"
	"strings"
)

// Wall says what the packages at and below Dir may import of this module. The longest Dir that fits a package counts.
type Wall struct {
	Dir  string
	May  []string // folders; each stands for itself only, with "/..." also for what is below it
	Why  string   // what the wall keeps apart, shown with a violation
	Open bool     // may import everything but cmd and test
}

// Walls are the floors of the house: imports point down only.
var Walls = []Wall{
	{Dir: "cmd", Open: true, Why: "commands wire the floors together; nothing imports them"},
	{Dir: "proxy/stack", Open: true, Why: "builds client and server out of the floors, for the commands and the demo"},
	{Dir: "proxy/cli", May: []string{"configs", "proxy/..."}, Why: "what both commands share at the terminal"},
	{Dir: "proxy", May: []string{"mptcp", "proxy/...", "transport/nonblock"}, Why: "the proxy knows sessions as net.Conn, no subflows, schedulers or packets"},
	{Dir: "mptcp", May: []string{"transport", "transport/wire", "transport/uplink", "scheduler", "cc"}, Why: "a session knows no carrier, socket or TCP header; of uplinks, the board"},
	{Dir: "transport", May: []string{"transport/...", "cc"}, Why: "a subflow knows no session, proxy or scheduler"},
	{Dir: "transport/tcp", May: []string{"transport/wire", "cc"}, Why: "the TCP machine is pure"},
	{Dir: "transport/wire", Why: "codecs depend on nothing"},
	{Dir: "transport/nonblock", Why: "system calls know nothing of what they carry"},
	{Dir: "transport/packet", Why: "raw sockets know no protocol"},
	{Dir: "transport/packettest", May: []string{"transport/packet", "transport/linksim"}, Why: "raw sockets know no protocol"},
	{Dir: "transport/linksim", Why: "what links are made of knows nothing of what they carry"},
	{Dir: "cc", Why: "a leaf"},
	{Dir: "scheduler", Why: "a leaf"},
	{Dir: "configs", May: []string{"cc", "scheduler"}, Why: "a leaf that knows the names that users may write"},
	{Dir: "test", Open: true, Why: "tests may use everything; nothing else may use them"},
}

// Breaches reports imports that climb a wall. Test files may import what they like, for they are imported by nothing.
func Breaches(t *Tree, walls []Wall) []string {
	var bad []string
	for _, f := range t.Go(func(f *File) bool { return !f.IsTest() }) {
		wall, ok := wallOf(f.Dir(), walls)
		if !ok {
			bad = append(bad, fmt.Sprintf("%s: package %s stands on no floor: add it to the walls", f.Path, f.Dir()))
			continue
		}
		for _, im := range f.Imports() {
			dir, own := im.Own()
			if own && !wall.allows(f.Dir(), dir) {
				bad = append(bad, fmt.Sprintf("%s: %s may not import %s: %s", t.at(im.Line), f.Dir(), im.Path, wall.Why))
			}
		}
	}
	return bad
}

func wallOf(dir string, walls []Wall) (best Wall, ok bool) {
	for _, w := range walls {
		if under(dir, w.Dir) && (!ok || len(w.Dir) > len(best.Dir)) {
			best, ok = w, true
		}
	}
	return best, ok
}

// allows decides about one import. A package and those nested in it with the same wall may know each other.
func (w Wall) allows(from, to string) bool {
	switch {
	case under(to, "cmd") && !under(from, to):
		return false
	case under(to, "test"):
		return under(from, "test")
	case w.Open:
		return true
	}
	return slices.ContainsFunc(w.May, func(m string) bool {
		if root, deep := cutDeep(m); deep {
			return under(to, root)
		}
		return to == m
	})
}

// cutDeep splits "proxy/..." into "proxy" and true.
func cutDeep(m string) (root string, deep bool) {
	return strings.CutSuffix(m, "/...")
}
