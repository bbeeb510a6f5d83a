//go:build linux

package netlab_test

import (
	"fmt"
	"testing"
	"time"

	"hawser/test/netlab"
)

// A client of two uplinks loses one of them while a transfer runs. Needs root, hence no output to compare.
func Example() {
	test := func(t *testing.T) {
		lab := netlab.New(t)
		m := lab.Multihome(lab.Host("client"), lab.Host("server"), []netlab.LinkConfig{
			{Name: "dsl", ARate: 10 * netlab.Mbit, BRate: 50 * netlab.Mbit, Delay: 10 * time.Millisecond},
			{Name: "lte", ARate: 20 * netlab.Mbit, BRate: 30 * netlab.Mbit, Delay: 30 * time.Millisecond, Loss: 0.001},
		})
		server := m.Server.Command(t.Context(), "python3", "-m", "http.server", "80")
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		download := m.Client.Command(t.Context(), "curl", "--retry-connrefused", "--retry", "5", "-sO",
			fmt.Sprintf("http://%s/file", m.Addr))
		if err := download.Start(); err != nil {
			t.Fatal(err)
		}

		dsl := m.Uplinks[0]
		dsl.BlackHole(netlab.Both, true) // silent; dsl.Down(netlab.SideA) takes the interface down
		dsl.BlackHole(netlab.Both, false)
		dsl.SetRate(netlab.BToA, 5*netlab.Mbit)
		m.Client.FlushAddrs("dsl")
		m.Client.AddAddr("dsl", "192.168.1.99/24")

		if err := download.Wait(); err != nil {
			t.Error(err)
		}
		now := time.Now()
		t.Log("bytes down the line in the last 2 s:", dsl.BytesBetween(netlab.BToA, now.Add(-2*time.Second), now))
	}
	_ = test
}
