package netlab

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
)

// LinkConfig says what a link is made of. The zero value is an unshaped link with addresses of the lab's choice.
type LinkConfig struct {
	// Name is the name of the interface on both hosts, 15 bytes at most; "": the first free of eth0, eth1 … on each.
	Name string

	// What A sends and what B sends, in bit/s (see Shape.Rate); 0: unlimited.
	ARate, BRate int64

	// The rest of the shape, the same in both directions; see Shape. Link.SetShape makes directions differ.
	Delay, Jitter time.Duration
	Reorder, Loss float64
	Burst         Burst
	QueueBytes    int
	QueueTime     time.Duration

	MTU     int    // bytes of IP packet, 1280–9000; 0: 1500
	Seed    uint64 // of the random decisions; 0 is a seed like any other
	Emulate bool   // an emulated link even if nothing is shaped, so that it can be later

	// NoOffloads turns the offloads of a plain link's ends off, so that frames are cut and merged by the hosts alone. An
	// emulated link has none anyway.
	NoOffloads bool

	// Addresses with prefix length, IPv4 and IPv6 in any mixture. Both empty: one of each family from prefixes of the
	// link's own. To have none, give an empty, non-nil slice.
	A, B []string

	// Uplink gives A a default route through B's first address of each family, with a table of its own and rules that
	// lead there what has A's addresses as source or is bound to its interface.
	Uplink bool
}

// A Link joins two hosts.
type Link struct {
	lab   *Lab
	hosts [2]*Host
	names [2]string // of the interfaces
	inner [2]string // of the emulator's interfaces in the fabric; empty: not emulated
	wire  *wire     // nil: not emulated
	index int       // of the first interface made for it; the next belongs to it too

	mu     sync.Mutex // guards shapes
	shapes [2]Shape
}

// Link joins two hosts. The interfaces are up and have their addresses when it returns.
func (l *Lab) Link(a, b *Host, cfg LinkConfig) *Link {
	k := &Link{lab: l, hosts: [2]*Host{a, b}}
	l.do(fmt.Sprintf("link %s %s–%s", cfg.Name, a.name, b.name), func() error {
		if err := cfg.complete(len(l.links)); err != nil {
			return err
		}
		l.links = append(l.links, k)
		if l.pcap == "" {
			return k.open(cfg, len(l.links))
		}
		cfg.Emulate = true
		if err := k.open(cfg, len(l.links)); err != nil {
			return err
		}
		name := fmt.Sprintf("%s%s-%s-%s.pcap", l.prefix, a.name, b.name, k.names[SideA])
		return errors.Join(os.MkdirAll(l.pcap, 0o755), k.capture(filepath.Join(l.pcap, name)))
	})
	return k
}

// complete fills in the defaults of the number-th link and refuses nonsense.
func (c *LinkConfig) complete(number int) error {
	if c.MTU == 0 {
		c.MTU = 1500
	}
	if c.MTU < 1280 || c.MTU > 9000 {
		return fmt.Errorf("mtu %d: give 1280 to 9000", c.MTU)
	}
	if c.A == nil && c.B == nil {
		if number > 255 {
			return errors.New("more than 256 links: give addresses")
		}
		c.A = []string{fmt.Sprintf("10.77.%d.1/24", number), fmt.Sprintf("fd77:%x::1/64", number)}
		c.B = []string{fmt.Sprintf("10.77.%d.2/24", number), fmt.Sprintf("fd77:%x::2/64", number)}
	}
	for _, s := range c.shapes() {
		if err := s.validate(); err != nil {
			return err
		}
	}
	return nil
}

// shapes returns the directions' shapes by the side that sends.
func (c *LinkConfig) shapes() [2]Shape {
	s := Shape{
		Delay: c.Delay, Jitter: c.Jitter, Reorder: c.Reorder, Loss: c.Loss, Burst: c.Burst,
		QueueBytes: c.QueueBytes, QueueTime: c.QueueTime,
	}
	shapes := [2]Shape{s, s}
	shapes[SideA].Rate, shapes[SideB].Rate = c.ARate, c.BRate
	return shapes
}

// firstIndex is above what the kernel gives to the interfaces of a host.
const firstIndex = 1000

// open makes the link; number is unique in the lab.
func (k *Link) open(cfg LinkConfig, number int) error {
	for side, h := range k.hosts {
		name, err := h.claim(cfg.Name)
		if err != nil {
			return err
		}
		k.names[side] = name
	}
	k.shapes, k.index = cfg.shapes(), firstIndex+2*number
	join := k.joinPlain
	if cfg.Emulate || k.shapes[SideA].active() || k.shapes[SideB].active() {
		join = k.joinEmulated
	}
	if err := join(cfg); err != nil {
		return err
	}
	for side, addrs := range [][]string{cfg.A, cfg.B} {
		if err := k.address(Side(side), addrs); err != nil {
			return err
		}
	}
	if cfg.Uplink {
		return k.makeUplink()
	}
	return nil
}

// claim reserves an interface name on the host.
func (h *Host) claim(name string) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for n := 0; name == ""; n++ {
		if free := fmt.Sprintf("eth%d", n); h.interfaces[free] == nil {
			name = free
		}
	}
	if len(name) > 15 {
		return "", fmt.Errorf("interface name %q is longer than 15 bytes", name)
	}
	if h.interfaces[name] != nil {
		return "", fmt.Errorf("%s has an interface %q already", h.name, name)
	}
	h.interfaces[name] = &iface{name: name}
	return name, nil
}

// joinPlain makes one veth pair.
func (k *Link) joinPlain(cfg LinkConfig) error {
	a, b := k.hosts[SideA], k.hosts[SideB]
	if err := a.addVeth(k.index, k.names[SideA], b, k.names[SideB], cfg.MTU); err != nil {
		return err
	}
	if cfg.NoOffloads {
		for side, h := range k.hosts {
			if err := h.Do(func() error { return disableOffloads(k.names[side]) }); err != nil {
				return err
			}
		}
	}
	return errors.Join(a.setLink(k.names[SideA], a.nl.LinkSetUp), b.setLink(k.names[SideB], b.nl.LinkSetUp),
		k.settle(SideA))
}

// joinEmulated makes a veth pair for each side and the emulator between their inner ends.
func (k *Link) joinEmulated(cfg LinkConfig) error {
	fabric := k.lab.fabric
	var macs [2]net.HardwareAddr
	for side, h := range k.hosts {
		name := k.names[side]
		k.inner[side] = fmt.Sprintf("l%d%s", k.index, Side(side))
		if err := fabric.addVeth(k.index+side, k.inner[side], h, name, cfg.MTU); err != nil {
			return err
		}
		if err := fabric.setLink(k.inner[side], fabric.nl.LinkSetUp); err != nil {
			return err
		}
		if err := h.Do(func() error { return disableOffloads(name) }); err != nil {
			return err
		}
		err := h.setLink(name, func(dev netlink.Link) error {
			macs[side] = dev.Attrs().HardwareAddr
			return h.nl.LinkSetUp(dev)
		})
		if err := errors.Join(err, k.settle(Side(side))); err != nil {
			return err
		}
	}
	return fabric.Do(func() (err error) {
		k.wire, err = newWire(k.inner, macs, cfg.MTU, k.shapes, cfg.Seed)
		return err
	})
}

// addVeth makes a veth pair from the host to another. Ends of different index let the kernel pass on changes of the
// carrier at once instead of once a second (linkwatch), so this end gets one that the kernel itself does not reach.
func (h *Host) addVeth(index int, name string, peer *Host, peerName string, mtu int) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Index, attrs.Name, attrs.MTU, attrs.Namespace = index, name, mtu, netlink.NsFd(h.ns)
	veth := netlink.NewVeth(attrs)
	veth.PeerName, veth.PeerMTU, veth.PeerNamespace = peerName, uint32(mtu), netlink.NsFd(peer.ns)
	return wrap(h.lab.fabric.nl.LinkAdd(veth), "veth %s to %s", name, peer.name)
}

// address gives a side its addresses.
func (k *Link) address(side Side, addrs []string) error {
	h := k.hosts[side]
	return h.edit(k.names[side], func(i *iface) error {
		for _, s := range addrs {
			p, err := netip.ParsePrefix(s)
			if err != nil {
				return err
			}
			i.addrs = append(i.addrs, p)
		}
		return h.apply(i)
	})
}

// makeUplink makes A's interface an uplink.
func (k *Link) makeUplink() error {
	u := &uplink{}
	for _, a := range []netip.Addr{k.Addr(SideB), k.Addr6(SideB)} {
		if a.IsValid() {
			u.gateways = append(u.gateways, a)
		}
	}
	if len(u.gateways) == 0 {
		return errors.New("an uplink needs an address at its far end")
	}
	h := k.hosts[SideA]
	return h.edit(k.names[SideA], func(i *iface) error {
		i.uplink = u
		return h.apply(i)
	})
}

// close stops the emulator. The interfaces go with the namespaces.
func (k *Link) close() error {
	if k.wire == nil {
		return nil
	}
	return wrap(k.wire.close(), "link %s", k.names[SideA])
}
