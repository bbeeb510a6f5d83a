package admin

import (
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

const wantMetrics = `
# HELP hawser_build_info Always 1; the labels say which program this is.
# TYPE hawser_build_info gauge
hawser_build_info{role="client",version="1.2.3"} 1
# HELP hawser_healthy 1 when the program does its work, as /healthz says.
# TYPE hawser_healthy gauge
hawser_healthy 0
# HELP hawser_sessions Sessions in any state.
# TYPE hawser_sessions gauge
hawser_sessions 2
# HELP hawser_sessions_established Sessions that carry streams.
# TYPE hawser_sessions_established gauge
hawser_sessions_established 1
# HELP hawser_streams Streams open now.
# TYPE hawser_streams gauge
hawser_streams 7
# HELP hawser_subflows Subflows that are not dead.
# TYPE hawser_subflows gauge
hawser_subflows{carrier="plain",uplink="dsl"} 1
# HELP hawser_subflows_congestion_window_bytes Congestion windows of the subflows, added.
# TYPE hawser_subflows_congestion_window_bytes gauge
hawser_subflows_congestion_window_bytes{carrier="plain",uplink="dsl"} 65536
# HELP hawser_subflows_in_flight_bytes Bytes in flight on the subflows, added.
# TYPE hawser_subflows_in_flight_bytes gauge
hawser_subflows_in_flight_bytes{carrier="plain",uplink="dsl"} 32768
# HELP hawser_uplink_bytes_total Bytes carried by the uplink.
# TYPE hawser_uplink_bytes_total counter
hawser_uplink_bytes_total{direction="down",uplink="dsl"} 5e+09
hawser_uplink_bytes_total{direction="down",uplink="lte"} 0
hawser_uplink_bytes_total{direction="up",uplink="dsl"} 1e+06
hawser_uplink_bytes_total{direction="up",uplink="lte"} 0
# HELP hawser_uplink_loss_ratio Share of what was sent that was lost, 0 to 1.
# TYPE hawser_uplink_loss_ratio gauge
hawser_uplink_loss_ratio{carrier="",uplink="lte"} 0
hawser_uplink_loss_ratio{carrier="plain",uplink="dsl"} 0.001
# HELP hawser_uplink_rtt_seconds Smoothed round-trip time; absent until measured.
# TYPE hawser_uplink_rtt_seconds gauge
hawser_uplink_rtt_seconds{carrier="plain",uplink="dsl"} 0.0125
# HELP hawser_uplink_up 1 when the uplink carries data or could.
# TYPE hawser_uplink_up gauge
hawser_uplink_up{carrier="",uplink="lte"} 0
hawser_uplink_up{carrier="plain",uplink="dsl"} 1
# HELP hawser_uptime_seconds Time since the program started.
# TYPE hawser_uptime_seconds gauge
hawser_uptime_seconds 3661
`

func TestMetricsOfASnapshot(t *testing.T) {
	c := NewCollector(fixed{status: sample(), sick: "one session waits"})
	if err := testutil.CollectAndCompare(c, strings.NewReader(wantMetrics)); err != nil {
		t.Error(err)
	}
}

func TestMetricsFollowTheConventions(t *testing.T) {
	problems, err := testutil.CollectAndLint(NewCollector(fixed{status: sample()}))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	if bad, err := testutil.CollectAndLint(badMetric{}); err != nil || len(bad) == 0 {
		t.Errorf("the linter finds nothing wrong with a bad name: %v", err)
	}
}

// badMetric has a name that the conventions forbid.
type badMetric struct{}

var badDesc = prometheus.NewDesc("hawser_rtt_milliseconds", "", nil, nil)

func (badMetric) Describe(ch chan<- *prometheus.Desc) { ch <- badDesc }
func (badMetric) Collect(ch chan<- prometheus.Metric) { gauge(ch, badDesc, 1) }

func TestMetricsPageOutlivesOddUplinks(t *testing.T) {
	s := sample()
	s.Uplinks = append(s.Uplinks, Uplink{Name: "wl\xffan"}, s.Uplinks[0])
	r := get(t, Config{}, fixed{status: s}, PathMetrics, nil)
	text := r.Body.String()
	for _, want := range []string{"hawser_streams 7\n", `uplink="wl` + "\uFFFD" + `an"`, "go_goroutines ", "process_start_time_seconds "} {
		if r.Code != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%d, and %q is missing in:\n%s", r.Code, want, text)
		}
	}
}
