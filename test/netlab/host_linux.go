package netlab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// A Host is a network namespace: interfaces, addresses, routes and sysctls of its own. Files, processes and users are
// the machine's.
type Host struct {
	lab  *Lab
	name string // as given to Lab.Host
	ns   netns.NsHandle
	nl   *netlink.Handle

	mu         sync.Mutex
	interfaces map[string]*iface
	gone       bool
}

// Host makes a host with loopback up and no other interface. The name must be new in the lab.
func (l *Lab) Host(name string) *Host {
	h := &Host{lab: l, name: name, ns: netns.None(), interfaces: map[string]*iface{}}
	l.do("host "+name, func() error {
		for _, other := range l.hosts {
			if other.name == name {
				return errors.New("there is a host of this name: choose another")
			}
		}
		l.hosts = append(l.hosts, h)
		return h.open()
	})
	return h
}

// Router makes a host that forwards IPv4 and IPv6.
func (l *Lab) Router(name string) *Host {
	h := l.Host(name)
	h.Sysctl("net.ipv4.ip_forward", "1")
	h.Sysctl("net.ipv6.conf.all.forwarding", "1")
	return h
}

func (h *Host) open() (err error) {
	if h.ns, err = newNamespace(h.Namespace()); err != nil {
		return err
	}
	if h.nl, err = netlink.NewHandleAt(h.ns); err != nil {
		return fmt.Errorf("netlink: %w", err)
	}
	for _, s := range [][2]string{
		{"net.ipv4.conf.all.rp_filter", "0"}, // hosts of several uplinks are reached asymmetrically
		{"net.ipv4.conf.default.rp_filter", "0"},
		{"net.ipv6.conf.default.accept_dad", "0"}, // addresses work at once
		{"net.ipv6.conf.default.accept_ra", "0"},
		{"net.ipv4.tcp_no_metrics_save", "1"}, // no run learns from the one before
		{"net.ipv4.ping_group_range", "0 2147483647"},
	} {
		if err := h.sysctl(s[0], s[1]); err != nil {
			return err
		}
	}
	lo, err := h.nl.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	return h.nl.LinkSetUp(lo)
}

// newNamespace makes a named namespace without moving the caller into it.
func newNamespace(name string) (ns netns.NsHandle, err error) {
	err = detour(func() error {
		ns, err = netns.NewNamed(name)
		return err
	})
	if err != nil {
		return netns.None(), fmt.Errorf("namespace %s: %w", name, err)
	}
	return ns, nil
}

// detour runs f, which may move its thread into another namespace, and moves the thread back.
func detour(f func() error) error {
	runtime.LockOSThread()
	before, err := netns.Get()
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("namespace of the thread: %w", err)
	}
	defer func() {
		if netns.Set(before) == nil { // else the thread must end with its goroutine
			runtime.UnlockOSThread()
		}
		_ = before.Close()
	}()
	return f()
}

func (h *Host) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gone {
		return nil
	}
	h.gone = true
	if h.nl != nil {
		h.nl.Close()
	}
	if !h.ns.IsOpen() {
		return nil
	}
	return errors.Join(killInside(h.Namespace()), remove(h.Namespace()), h.ns.Close())
}

// Name is the name given to Lab.Host.
func (h *Host) Name() string { return h.name }

// Namespace is the namespace's name for `ip netns exec`.
func (h *Host) Namespace() string { return h.lab.prefix + h.name }

// Do runs f on a thread inside the namespace, in the calling goroutine. Sockets that f makes stay there; goroutines
// that f starts are outside. That holds for net.Dial of a name, which looks it up elsewhere: dial addresses.
func (h *Host) Do(f func() error) error {
	if err := h.lab.Err(); err != nil {
		return err
	}
	return detour(func() error {
		if err := netns.Set(h.ns); err != nil {
			return fmt.Errorf("enter namespace of %s: %w", h.name, err)
		}
		return f()
	})
}

// Dial connects from the host to an address literal, by TCP without multipath, or by UDP.
func (h *Host) Dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	var d net.Dialer
	d.SetMultipathTCP(false)
	err = h.Do(func() error {
		conn, err = d.DialContext(ctx, network, address)
		return err
	})
	return conn, err
}

// Listen listens on the host, by TCP without multipath.
func (h *Host) Listen(network, address string) (l net.Listener, err error) {
	var c net.ListenConfig
	c.SetMultipathTCP(false)
	err = h.Do(func() error {
		l, err = c.Listen(context.Background(), network, address)
		return err
	})
	return l, err
}

// ListenPacket opens a packet-oriented socket on the host.
func (h *Host) ListenPacket(network, address string) (c net.PacketConn, err error) {
	err = h.Do(func() error {
		c, err = net.ListenPacket(network, address)
		return err
	})
	return c, err
}

// Sysctl sets a net.* setting of the host, as in "net.ipv4.tcp_congestion_control".
func (h *Host) Sysctl(name, value string) {
	h.lab.do("sysctl on "+h.name, func() error { return h.sysctl(name, value) })
}

func (h *Host) sysctl(name, value string) error {
	if !strings.HasPrefix(name, "net.") {
		return fmt.Errorf("%s belongs to the whole machine: only net.* is a host's own", name)
	}
	path := filepath.Join("/proc/sys", filepath.Join(strings.Split(name, ".")...))
	return h.Do(func() error {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.WriteString(value)
		return errors.Join(err, f.Close())
	})
}

// GetSysctl reads a net.* setting of the host.
func (h *Host) GetSysctl(name string) (string, error) {
	var b []byte
	err := h.Do(func() (err error) {
		b, err = os.ReadFile(filepath.Join("/proc/sys", filepath.Join(strings.Split(name, ".")...)))
		return err
	})
	return strings.TrimSpace(string(b)), err
}

// setLink changes flags of an interface.
func (h *Host) setLink(name string, change func(netlink.Link) error) error {
	dev, err := h.nl.LinkByName(name)
	if err != nil {
		return fmt.Errorf("interface %s of %s: %w", name, h.name, err)
	}
	return change(dev)
}
