package demo

import (
	"encoding/json"
	"slices"
	"testing"
)

// good is a result that is as promised, just so.
func good() Result {
	return Result{
		Uplinks: []Uplink{
			{Name: "dsl", Rates: Rates{Down: 36e6, Up: 36e6}, Bytes: 5},
			{Name: "lte", Rates: Rates{Down: 18e6, Up: 18e6}, Bytes: 6},
		},
		Bond: Rates{Down: 54e6, Up: 54e6},
		Cut:  Cut{Uplink: "dsl", Gap: 170},
	}
}

func TestFaultsNameWhatIsNotAsPromised(t *testing.T) {
	tests := []struct {
		spoil func(*Result)
		want  []string
	}{
		{func(*Result) {}, nil},
		{func(r *Result) { r.Uplinks[0].Down-- }, []string{"dsl alone, down: 36.0 Mbit/s is under 0.9 of 40.0 Mbit/s"}},
		{func(r *Result) { r.Uplinks[1].Up = 1e6 }, []string{"lte alone, up: 1.0 Mbit/s is under 0.9 of 20.0 Mbit/s"}},
		{func(r *Result) { r.Bond = Rates{Down: 53e6, Up: 52e6} }, []string{
			"bond, down: 53.0 Mbit/s is under 0.9 of 60.0 Mbit/s", "bond, up: 52.0 Mbit/s is under 0.9 of 60.0 Mbit/s",
		}},
		{func(r *Result) { r.broken = []string{"bond, up: the file's hash differs"} }, []string{"bond, up: the file's hash differs"}},
	}
	for i, test := range tests {
		r := good()
		test.spoil(&r)
		if got := r.Faults(); !slices.Equal(got, test.want) {
			t.Errorf("%d: faults %q, want %q", i, got, test.want)
		}
	}
}

func TestCheckFindsAFileThatIsNotTheOneThatWasSent(t *testing.T) {
	const n = 1000
	tests := []struct {
		receipt receipt
		want    string
	}{
		{receipt{Bytes: n, SHA256: hashOf(n)}, ""},
		{receipt{Bytes: n, SHA256: hashOf(n + 1)}, "x: the file's hash differs"},
		{receipt{Bytes: n - 1, SHA256: hashOf(n - 1)}, "x: 999 bytes arrived of a file of 1000"},
	}
	for _, test := range tests {
		m := new(measurement)
		m.check("x", n, test.receipt)
		got := ""
		if len(m.result.broken) > 0 {
			got = m.result.broken[0]
		}
		if got != test.want {
			t.Errorf("%+v: %q, want %q", test.receipt, got, test.want)
		}
	}
}

func TestJSONIsAsDocumented(t *testing.T) {
	text, err := json.Marshal(good())
	const want = `{"uplinks":[{"name":"dsl","down_bps":36000000,"up_bps":36000000,"bytes":5},` +
		`{"name":"lte","down_bps":18000000,"up_bps":18000000,"bytes":6}],` +
		`"bond":{"down_bps":54000000,"up_bps":54000000},"cut":{"uplink":"dsl","gap_ms":170,"bytes_lost":0}}`
	if err != nil || string(text) != want {
		t.Errorf("%s, %v\nwant %s", text, err, want)
	}
}
