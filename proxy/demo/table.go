package demo

import (
	"fmt"
	"strings"
)

// style marks what matters; the zero style marks nothing.
type style struct{ color bool }

// SGR sequences of ECMA-48.
const (
	bold  = "\x1b[1m"
	green = "\x1b[32m"
	red   = "\x1b[31m"
	plain = "\x1b[0m"
)

func (s style) mark(with, text string) string {
	if !s.color {
		return text
	}
	return with + text + plain
}

// verdict is a word in green or red.
func (s style) verdict(ok bool, good, bad string) string {
	if ok {
		return s.mark(green, good)
	}
	return s.mark(red, bad)
}

// intro says what there is.
func (s style) intro(b *bed) string {
	var t strings.Builder
	fmt.Fprintf(&t, "%s\n\n", s.mark(bold, "Hawser demo: client, server and two emulated uplinks in this process, on 127.0.0.1 alone"))
	for _, l := range b.links {
		fmt.Fprintf(&t, "  uplink %-8s %d Mbit/s each way, %d ms\n", l.Name, l.Rate/1e6, l.Delay.Milliseconds())
	}
	fmt.Fprintf(&t, "  proxy           %s (SOCKS5, HTTP)\n", b.client.Addrs()[0])
	fmt.Fprintf(&t, "  dashboard       http://%s/\n", b.client.AdminAddr())
	fmt.Fprintf(&t, "  file server     %s\n", b.target.url(0))
	for _, n := range b.notes {
		fmt.Fprintf(&t, "  note            %s\n", n)
	}
	return t.String() + "\n"
}

// table shows the rates and the cut.
func (s style) table(r *Result) string {
	var t strings.Builder
	fmt.Fprintf(&t, "  %s\n", s.mark(bold, fmt.Sprintf("%-14s%16s%16s%24s", "", "down", "up", "carried for the bond")))
	for _, u := range r.Uplinks {
		fmt.Fprintf(&t, "  %-14s%16s%16s%21.1f MB\n", u.Name+" alone", megabits(u.Down), megabits(u.Up), float64(u.Bytes)/1e6)
	}
	bond := fmt.Sprintf("%-14s%16s%16s", "bond", megabits(r.Bond.Down), megabits(r.Bond.Up))
	fmt.Fprintf(&t, "  %s\n", s.mark(bold, bond))
	fmt.Fprintf(&t, "  %-14s%16s%16s\n\n", "of the sum", percent(r.Bond.Down), percent(r.Bond.Up))
	whole := r.Cut.Lost == 0 && len(r.broken) == 0
	fmt.Fprintf(&t, "  %s fell silent in the middle of a download: %s, largest gap %d ms, %d bytes lost\n",
		r.Cut.Uplink, s.verdict(whole, "it went on and arrived whole", "it did not arrive whole"), r.Cut.Gap, r.Cut.Lost)
	return t.String()
}

// percent is how much of the sum of the uplinks a rate is.
func percent(bps int64) string { return fmt.Sprintf("%.0f %%", 100*float64(bps)/float64(sum())) }

// outro says what to do with what stays up.
func (s style) outro(b *bed) string {
	proxy := b.client.Addrs()[0]
	return fmt.Sprintf(`
All of it stays up until Ctrl-C. Watch http://%s/ and try

  curl -x socks5h://%s -o file '%s'
`, b.client.AdminAddr(), proxy, b.target.url(defaultFile))
}
