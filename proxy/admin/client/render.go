package client

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"hawser/proxy/admin"
)

// Render prints a status for a person.
func Render(w io.Writer, s admin.Status) error {
	var b strings.Builder
	fmt.Fprintf(&b, "hawser-%s %s, up %s, %d streams in %d sessions\n", printable(string(s.Role)), printable(s.Version),
		time.Duration(s.Uptime)*time.Second, s.Streams, len(s.Sessions))
	if len(s.Uplinks) > 0 {
		table(&b, "UPLINK\tSTATE\tCARRIER\tINTERFACE\tADDRESS\tDOWN\tUP\tRTT\tLOSS\tRECEIVED\tSENT\tREASON", s.Uplinks, uplinkRow)
	}
	if len(s.Sessions) > 0 {
		table(&b, "SESSION\tSTATE\tSTREAMS\tSUBFLOW\tUPLINK\tCARRIER\tSTATE\tRTT\tCWND\tIN FLIGHT\tRETRANS\tREINJECTED\tREASON", rows(s.Sessions), sessionRow)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// table prints a heading and a line for each item, in columns.
func table[T any](b *strings.Builder, heading string, items []T, row func(T) []string) {
	b.WriteByte('\n')
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, heading)
	for _, item := range items {
		cells := row(item)
		for i, c := range cells {
			cells[i] = printable(c)
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	t.Flush() // into memory
}

func uplinkRow(u admin.Uplink) []string {
	return []string{
		u.Name, string(u.State), orDash(u.Carrier), orDash(u.Interface), orDash(u.Address),
		rate(u.DownRate), rate(u.UpRate), millis(u.RTT), percent(u.Loss), size(u.BytesDown), size(u.BytesUp), u.Reason,
	}
}

// line is one line of the table of sessions: a subflow, with its session on the first of them.
type line struct {
	session *admin.Session
	subflow *admin.Subflow
}

func rows(sessions []admin.Session) []line {
	var ls []line
	for i := range sessions {
		s := &sessions[i]
		if len(s.Subflows) == 0 {
			ls = append(ls, line{session: s})
		}
		for j := range s.Subflows {
			l := line{subflow: &s.Subflows[j]}
			if j == 0 {
				l.session = s
			}
			ls = append(ls, l)
		}
	}
	return ls
}

func sessionRow(l line) []string {
	cells := []string{"", "", ""}
	if s := l.session; s != nil {
		cells = []string{s.ID, string(s.State), strconv.Itoa(s.Streams)}
	}
	f := l.subflow
	if f == nil {
		return append(cells, "-")
	}
	return append(cells, f.ID, f.Uplink, f.Carrier, string(f.State), millis(f.RTT), size(uint64(max(f.Cwnd, 0))), size(uint64(max(f.InFlight, 0))),
		strconv.FormatUint(f.Retransmits, 10), strconv.FormatUint(f.Reinjected, 10), f.Reason)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func rate(bps int64) string { return scaled(float64(bps), "bit/s") }

func size(bytes uint64) string { return scaled(float64(bytes), "B") }

// scaled prints with a decimal prefix and two or three digits: "9.5 Mbit/s", "950 kB".
func scaled(v float64, unit string) string {
	prefixes := []string{"", "k", "M", "G", "T", "P"}
	i := 0
	for v >= 999.5 && i < len(prefixes)-1 {
		v /= 1000
		i++
	}
	if i > 0 && v < 9.95 {
		return fmt.Sprintf("%.1f %s%s", v, prefixes[i], unit)
	}
	return fmt.Sprintf("%.0f %s%s", v, prefixes[i], unit)
}

func millis(v float64) string {
	switch {
	case v <= 0:
		return "-"
	case v < 10:
		return fmt.Sprintf("%.1f ms", v)
	}
	return fmt.Sprintf("%.0f ms", v)
}

func percent(v float64) string { return strconv.FormatFloat(100*v, 'f', 2, 64) + " %" }

// printable replaces what could move the cursor or confuse the columns: reasons may quote the other end of a
// connection.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
