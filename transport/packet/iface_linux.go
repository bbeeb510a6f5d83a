package packet

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// iface is an interface of this host and how a Socket sends by it.
type iface struct {
	index int
	limit Mode // no better one may be used
	sent  sentCounters

	looped atomic.Bool // loopback; asked for each packet that is received

	mu     sync.Mutex // guards what follows
	known  bool       // the kernel has described it
	name   string
	mtu    int
	up     bool
	mac    hardwareAddr
	link   linkHeader
	ladder ladder

	best       Mode // that the link type allows
	bestReason string
}

// linkHeader says what stands before the IP header of a frame.
type linkHeader uint8

const (
	linkUnknown  linkHeader = iota // we cannot build it: raw IP only
	linkEthernet                   // 14 bytes
	linkNone                       // nothing: tun, WireGuard, modems in raw IP mode
	linkPPP                        // nothing either, but the kernel looks for super-segments' headers four bytes too late
)

// linkOf tells the header by the interface's type (ARPHRD_* of linux/if_arp.h).
func linkOf(encap string) (h linkHeader, best Mode, reason string) {
	switch encap {
	case "ether", "loopback":
		return linkEthernet, ModeGSO, ""
	case "none", "unknown519": // ARPHRD_RAWIP
		return linkNone, ModeGSO, ""
	case "ppp":
		return linkPPP, ModeFrames, "gso: not possible on PPP"
	}
	return linkUnknown, ModeRawIP, fmt.Sprintf("frames: the link type %q is not supported", encap)
}

// describe takes what the kernel says of the interface. changed: the MTU has become another one.
func (f *iface) describe(a *netlink.LinkAttrs) (changed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	link, best, reason := linkOf(a.EncapType)
	if f.limit > best {
		best, reason = f.limit, "set by the configuration"
	}
	f.best, f.bestReason = best, reason
	if !f.known {
		f.ladder.restore(best, reason)
	}
	changed = f.known && f.mtu != a.MTU
	f.known, f.name, f.mtu, f.link = true, a.Name, a.MTU, link
	f.up = a.RawFlags&unix.IFF_UP != 0
	f.looped.Store(a.RawFlags&unix.IFF_LOOPBACK != 0)
	f.mac = hardwareAddr{}
	copy(f.mac[:], a.HardwareAddr)
	return changed
}

// outlook is what sending needs to know of an interface at one moment.
type outlook struct {
	mode Mode
	mtu  int
	mac  hardwareAddr
	link linkHeader
}

func (f *iface) outlook(now time.Time) outlook {
	f.mu.Lock()
	defer f.mu.Unlock()
	return outlook{mode: f.ladder.use(now), mtu: f.mtu, mac: f.mac, link: f.link}
}

func (f *iface) status() InterfaceStatus {
	f.mu.Lock()
	defer f.mu.Unlock()
	return InterfaceStatus{Index: f.index, Name: f.name, MTU: f.mtu, Mode: f.ladder.mode, Reason: f.ladder.reason, Counters: f.sent.snapshot()}
}

// interfaces are those of this host, as far as they matter. Those that vanish stay, with their counters.
type interfaces struct {
	limit Mode // no better one may be used

	mu  sync.RWMutex
	all map[int]*iface
}

// get finds an interface; nil: the kernel has not told of it.
func (t *interfaces) get(index int) *iface {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.all[index]
}

// describe adds or updates one.
func (t *interfaces) describe(a *netlink.LinkAttrs) (changed bool) {
	t.mu.Lock()
	f := t.all[a.Index]
	if f == nil {
		f = &iface{index: a.Index, limit: t.limit}
		t.all[a.Index] = f
	}
	t.mu.Unlock()
	return f.describe(a)
}

// list returns all of them.
func (t *interfaces) list() (out []*iface) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, f := range t.all {
		out = append(out, f)
	}
	return out
}

// smallestMTU is the smallest of those that are up and lead out of the host.
func (t *interfaces) smallestMTU() (mtu int) {
	for _, f := range t.list() {
		f.mu.Lock()
		if f.up && !f.looped.Load() && (mtu == 0 || f.mtu < mtu) {
			mtu = f.mtu
		}
		f.mu.Unlock()
	}
	return mtu
}
