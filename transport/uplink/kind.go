package uplink

import (
	"regexp"
	"strings"
)

// kind is what sort of link this is, as far as discovery cares.
type kind uint8

const (
	kindOrdinary kind = iota
	kindLoopback
	kindTunnel    // its packets leave by another uplink
	kindContainer // leads to containers, not to the world
)

// disabled is the reason for not using a link of this kind unless it is named; empty: it is used.
func (k kind) disabled() string {
	switch k {
	case kindTunnel:
		return "tunnel: name it to use it"
	case kindContainer:
		return "container bridge: name it to use it"
	default:
		return ""
	}
}

// tunnels are the link kinds of rtnetlink (IFLA_INFO_KIND) that carry packets over other links. PPP is not one of
// them: it is how most DSL lines look.
var tunnels = map[string]bool{
	"wireguard": true, "amneziawg": true, "ovpn": true, "ovpn-dco": true,
	"ipip": true, "ip6tnl": true, "sit": true, "gre": true, "gretap": true, "ip6gre": true, "ip6gretap": true,
	"erspan": true, "ip6erspan": true, "vti": true, "vti6": true, "xfrm": true, "bareudp": true, "gtp": true,
	"vxlan": true, "geneve": true,
}

// containerBridge matches bridges as container and virtual machine managers name them. A plain "br-lan" or "vmbr0" is
// how a router or a hypervisor reaches the world, so not every bridge is meant.
var containerBridge = regexp.MustCompile(`^(docker\d+|docker_gwbridge|br-[0-9a-f]{12}|podman\d+|cni\d+|cni-podman\d+|virbr\d+|lxcbr\d+|lxdbr\d+|incusbr\d+)$`)

// classify tells the kind of a Linux link from its rtnetlink kind ("device" when it has none), its framing
// ("ether", "none", … as in /sys/class/net/*/type) and its name.
//
// A tun device without Ethernet framing is a VPN. One with it (tap) is how rootless containers and virtual machines
// are given their only way out, so it counts as ordinary. The end of a veth pair in a container is ordinary too; what
// marks the host's end is the name that container managers give it.
func classify(driver, framing, name string) kind {
	switch {
	case framing == "loopback":
		return kindLoopback
	case tunnels[driver]:
		return kindTunnel
	case driver == "tuntap" || driver == "tun":
		if framing != "ether" {
			return kindTunnel
		}
	case driver == "bridge" && containerBridge.MatchString(name),
		driver == "veth" && strings.HasPrefix(name, "veth"):
		return kindContainer
	case driver == "device" && tunnelFraming[framing]:
		return kindTunnel
	}
	return kindOrdinary
}

// tunnelFraming are the hardware types of tunnels that an old kernel shows without a kind.
var tunnelFraming = map[string]bool{"ipip": true, "tunnel6": true, "sit": true, "gre": true, "gre6": true, "ipgre": true, "ip6gre": true}
