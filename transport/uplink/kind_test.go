package uplink

import "testing"

func TestKindsOfLinks(t *testing.T) {
	for _, c := range []struct {
		driver, framing, name string
		want                  kind
	}{
		{"device", "ether", "eth0", kindOrdinary},
		{"device", "loopback", "lo", kindLoopback},
		{"device", "none", "wwan0", kindOrdinary}, // a modem in raw IP mode
		{"device", "ppp", "ppp0", kindOrdinary},
		{"device", "sit", "sit0", kindTunnel},
		{"vlan", "ether", "eth0.7", kindOrdinary},
		{"macvlan", "ether", "wan1", kindOrdinary},
		{"tuntap", "none", "tun0", kindTunnel},
		{"tuntap", "ether", "tap0", kindOrdinary}, // a rootless container's only way out
		{"wireguard", "none", "home", kindTunnel},
		{"ipip", "ipip", "t0", kindTunnel},
		{"gre", "ipgre", "t0", kindTunnel},
		{"sit", "sit", "he6", kindTunnel},
		{"veth", "ether", "eth0", kindOrdinary}, // inside a container
		{"veth", "ether", "veth1a2b3c4", kindContainer},
		{"bridge", "ether", "docker0", kindContainer},
		{"bridge", "ether", "br-0123456789ab", kindContainer},
		{"bridge", "ether", "br-lan", kindOrdinary}, // a router's
		{"bridge", "ether", "vmbr0", kindOrdinary},
	} {
		if got := classify(c.driver, c.framing, c.name); got != c.want {
			t.Errorf("classify(%s, %s, %s) = %d, want %d", c.driver, c.framing, c.name, got, c.want)
		}
	}
}
