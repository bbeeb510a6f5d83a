package admin

// fixed is a Source that always shows the same.
type fixed struct {
	status Status
	sick   string // reason why it is not healthy; empty: it is
}

func (f fixed) Status() Status          { return f.status }
func (f fixed) Healthy() (bool, string) { return f.sick == "", f.sick }

// sample is a client with one uplink of each kind and every field set.
func sample() Status {
	return Status{
		Version: "1.2.3", Role: RoleClient, Uptime: 3661, Streams: 7,
		Uplinks: []Uplink{
			{
				Name: "dsl", Interface: "eth0", Address: "192.0.2.7", State: UplinkUp, Carrier: "plain",
				RTT: 12.5, Loss: 0.001, UpRate: 8_000_000, DownRate: 40_000_000, BytesUp: 1_000_000, BytesDown: 5_000_000_000,
			},
			{Name: "lte", Interface: "wwan0", State: UplinkWaiting, Reason: "interface wwan0 does not exist"},
		},
		Sessions: []Session{
			{ID: "1", State: SessionEstablished, Streams: 7, Duplicates: 1448, Subflows: []Subflow{
				{ID: "1.1", Uplink: "dsl", Carrier: "plain", State: SubflowActive, RTT: 12.5, Cwnd: 65536, InFlight: 32768, Retransmits: 3, Reinjected: 2},
				{ID: "1.2", Uplink: "lte", Carrier: "plain", State: SubflowDead, Reason: "silent for 3 s", Backup: true, Cwnd: 9999},
			}},
			{ID: "2", State: SessionConnecting},
		},
	}
}
