package admin

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// Names of the labels: the words of the project.
const (
	labelUplink    = "uplink"
	labelCarrier   = "carrier"
	labelDirection = "direction" // "up": client to server; "down"
)

// Collector turns one snapshot a scrape into metrics. It keeps no state, hence only what a snapshot counts since the
// start of the program becomes a counter: figures of subflows end with them and are gauges.
type Collector struct {
	src Source

	info, uptime, healthy, streams, sessions, established *prometheus.Desc

	up, rtt, loss, bytes     *prometheus.Desc
	subflows, cwnd, inFlight *prometheus.Desc
}

// NewCollector makes a collector of what src shows, for a registry.
func NewCollector(src Source) *Collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("hawser_"+name, help, labels, nil)
	}
	return &Collector{
		src:         src,
		info:        desc("build_info", "Always 1; the labels say which program this is.", "version", "role"),
		uptime:      desc("uptime_seconds", "Time since the program started."),
		healthy:     desc("healthy", "1 when the program does its work, as /healthz says."),
		streams:     desc("streams", "Streams open now."),
		sessions:    desc("sessions", "Sessions in any state."),
		established: desc("sessions_established", "Sessions that carry streams."),
		up:          desc("uplink_up", "1 when the uplink carries data or could.", labelUplink, labelCarrier),
		rtt:         desc("uplink_rtt_seconds", "Smoothed round-trip time; absent until measured.", labelUplink, labelCarrier),
		loss:        desc("uplink_loss_ratio", "Share of what was sent that was lost, 0 to 1.", labelUplink, labelCarrier),
		bytes:       desc("uplink_bytes_total", "Bytes carried by the uplink.", labelUplink, labelDirection),
		subflows:    desc("subflows", "Subflows that are not dead.", labelUplink, labelCarrier),
		cwnd:        desc("subflows_congestion_window_bytes", "Congestion windows of the subflows, added.", labelUplink, labelCarrier),
		inFlight:    desc("subflows_in_flight_bytes", "Bytes in flight on the subflows, added.", labelUplink, labelCarrier),
	}
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.info, c.uptime, c.healthy, c.streams, c.sessions, c.established,
		c.up, c.rtt, c.loss, c.bytes, c.subflows, c.cwnd, c.inFlight,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	s := c.src.Status()
	ok, _ := c.src.Healthy()
	established := 0
	for _, x := range s.Sessions {
		if x.State == SessionEstablished {
			established++
		}
	}
	gauge(ch, c.info, 1, s.Version, string(s.Role))
	gauge(ch, c.uptime, float64(s.Uptime))
	gauge(ch, c.healthy, oneIf(ok))
	gauge(ch, c.streams, float64(s.Streams))
	gauge(ch, c.sessions, float64(len(s.Sessions)))
	gauge(ch, c.established, float64(established))
	for _, u := range s.Uplinks {
		c.uplink(ch, u)
	}
	c.paths(ch, s.Sessions)
}

func (c *Collector) uplink(ch chan<- prometheus.Metric, u Uplink) {
	gauge(ch, c.up, oneIf(u.State == UplinkUp || u.State == UplinkDegraded), u.Name, u.Carrier)
	gauge(ch, c.loss, u.Loss, u.Name, u.Carrier)
	if u.RTT > 0 {
		gauge(ch, c.rtt, u.RTT/1000, u.Name, u.Carrier)
	}
	// Without the carrier: when that changes, the count goes on.
	send(ch, c.bytes, prometheus.CounterValue, float64(u.BytesUp), u.Name, "up")
	send(ch, c.bytes, prometheus.CounterValue, float64(u.BytesDown), u.Name, "down")
}

// paths adds up the subflows of all sessions by uplink and carrier: a series for each subflow would never end.
func (c *Collector) paths(ch chan<- prometheus.Metric, sessions []Session) {
	type path struct{ uplink, carrier string }
	type sum struct{ subflows, cwnd, inFlight int }
	sums := map[path]sum{}
	for _, s := range sessions {
		for _, f := range s.Subflows {
			if f.State == SubflowDead {
				continue
			}
			p := path{f.Uplink, f.Carrier}
			t := sums[p]
			sums[p] = sum{t.subflows + 1, t.cwnd + f.Cwnd, t.inFlight + f.InFlight}
		}
	}
	for p, t := range sums {
		gauge(ch, c.subflows, float64(t.subflows), p.uplink, p.carrier)
		gauge(ch, c.cwnd, float64(t.cwnd), p.uplink, p.carrier)
		gauge(ch, c.inFlight, float64(t.inFlight), p.uplink, p.carrier)
	}
}

func gauge(ch chan<- prometheus.Metric, d *prometheus.Desc, v float64, labels ...string) {
	send(ch, d, prometheus.GaugeValue, v, labels...)
}

// send makes a metric. Interface names may hold any byte; the exposition format demands UTF-8.
func send(ch chan<- prometheus.Metric, d *prometheus.Desc, kind prometheus.ValueType, v float64, labels ...string) {
	for i := range labels {
		labels[i] = strings.ToValidUTF8(labels[i], "\uFFFD")
	}
	ch <- prometheus.MustNewConstMetric(d, kind, v, labels...)
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
