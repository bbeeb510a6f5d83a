package packet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// watcher follows interfaces, addresses, routes and neighbours by rtnetlink, which needs no privilege, and answers what
// hops asks. One goroutine reads announcements, the other works through them in their order.
type watcher struct {
	s       *Socket
	sub     *nl.NetlinkSocket
	handle  *netlink.Handle
	workers sync.WaitGroup
	done    chan struct{}

	mu    sync.Mutex // guards what follows
	inbox []syscall.NetlinkMessage
	lost  bool  // announcements were missed
	err   error // the subscription has failed
}

const watchBuffer = 1 << 20

// watch reads the present state and starts to follow it.
func watch(s *Socket) (*watcher, error) {
	sub, err := nl.Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_LINK, unix.RTNLGRP_NEIGH,
		unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR, unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE,
		unix.RTNLGRP_IPV4_RULE, unix.RTNLGRP_IPV6_RULE)
	if err != nil {
		return nil, fmt.Errorf("packet: subscribe to rtnetlink: %w", err)
	}
	_ = sub.SetReceiveBufferSize(watchBuffer, false) // an overrun costs a dump
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		sub.Close()
		return nil, fmt.Errorf("packet: open rtnetlink: %w", err)
	}
	w := &watcher{s: s, sub: sub, handle: handle, done: make(chan struct{})}
	if err := errors.Join(w.links(), w.addresses()); err != nil {
		sub.Close()
		handle.Close()
		return nil, err
	}
	w.workers.Go(w.receive)
	w.workers.Go(w.work)
	return w, nil
}

func (w *watcher) close() {
	close(w.done)
	w.sub.Close()
	w.workers.Wait()
	w.handle.Close()
}

// receive collects announcements until the socket is closed or fails.
func (w *watcher) receive() {
	for {
		ms, _, err := w.sub.Receive()
		w.mu.Lock()
		w.inbox = append(w.inbox, ms...)
		switch {
		case err == nil, errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
		case errors.Is(err, unix.ENOBUFS):
			w.lost = true
		default:
			w.err = err
		}
		failed := w.err != nil
		w.mu.Unlock()
		w.s.hops.signal()
		if failed {
			return
		}
	}
}

// work applies announcements and resolves routes.
func (w *watcher) work() {
	for {
		select {
		case <-w.done:
			return
		case <-w.s.hops.wake:
		}
		w.mu.Lock()
		ms, lost, err := w.inbox, w.lost, w.err
		w.inbox, w.lost = nil, false
		w.mu.Unlock()
		w.apply(ms)
		if lost {
			err = errors.Join(err, w.links(), w.addresses())
			w.s.hops.lost()
		}
		for _, k := range w.s.hops.takeUnresolved() {
			w.resolve(k)
		}
		w.s.hops.sweep(time.Now())
		select {
		case <-w.done: // closing the subscription looks like a failure
			return
		default:
		}
		if err != nil {
			w.s.fail(fmt.Errorf("packet: follow rtnetlink: %w", err))
			return
		}
	}
}

// apply takes announcements in their order.
func (w *watcher) apply(ms []syscall.NetlinkMessage) {
	readdressed := false
	var moved []netip.Prefix
	for _, m := range ms {
		switch m.Header.Type {
		case unix.RTM_NEWLINK, unix.RTM_DELLINK:
			w.link(m)
		case unix.RTM_NEWADDR, unix.RTM_DELADDR:
			readdressed = true
		case unix.RTM_NEWNEIGH, unix.RTM_DELNEIGH:
			if n, err := netlink.NeighDeserialize(m.Data); err == nil {
				w.neighbour(n, m.Header.Type == unix.RTM_DELNEIGH)
			}
		case unix.RTM_NEWROUTE, unix.RTM_DELROUTE:
			if dst, ok := routeDst(m.Data); ok {
				moved = append(moved, dst)
			}
		case unix.RTM_NEWRULE, unix.RTM_DELRULE:
			moved = append(moved, netip.Prefix{})
		}
	}
	if readdressed {
		_ = w.addresses() // a failure leaves the old ones; the next change asks again
		moved = append(moved, netip.Prefix{})
	}
	w.s.hops.forget(moved...)
}

// link takes the announcement of one interface.
func (w *watcher) link(m syscall.NetlinkMessage) {
	l, err := netlink.LinkDeserialize((*unix.NlMsghdr)(&m.Header), m.Data)
	if err != nil || l.Attrs().EncapType == "" {
		return
	}
	a := l.Attrs()
	if len(m.Data) > 0 && m.Data[0] != unix.AF_UNSPEC {
		return // a bridge telling about a port of its own, not the interface about itself
	}
	if m.Header.Type == unix.RTM_DELLINK {
		if a.Index == w.s.index {
			w.s.fail(fmt.Errorf("packet: interface %s is gone: %w", a.Name, net.ErrClosed))
		}
		return
	}
	old := w.s.interfaces.get(a.Index)
	if w.s.interfaces.describe(a) && (w.s.index == 0 || w.s.index == a.Index) {
		w.s.report(Packet{Interface: a.Index, At: time.Now(), Report: &Report{Kind: ReportMTU, MTU: a.MTU}})
	}
	if old != nil { // IPv4 routes that go with an interface are not announced
		w.s.hops.forget(netip.Prefix{})
	}
}

// links reads all interfaces.
func (w *watcher) links() error {
	ls, err := w.handle.LinkList()
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) { // what was missed is announced
		return fmt.Errorf("packet: read interfaces: %w", err)
	}
	for _, l := range ls {
		w.s.interfaces.describe(l.Attrs())
	}
	return nil
}

// addresses reads all addresses of this host.
func (w *watcher) addresses() error {
	as, err := w.handle.AddrList(nil, netlink.FAMILY_ALL)
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		return fmt.Errorf("packet: read addresses: %w", err)
	}
	set := make(map[netip.Addr]struct{}, len(as))
	for _, a := range as {
		if a.IPNet == nil {
			continue
		}
		if ip, ok := netip.AddrFromSlice(a.IP); ok {
			set[ip.Unmap()] = struct{}{}
		}
	}
	w.s.addrs.Store(&set)
	return nil
}

// neighbour takes what the kernel says about one.
func (w *watcher) neighbour(n *netlink.Neigh, gone bool) {
	ip, ok := netip.AddrFromSlice(n.IP)
	if !ok || n.Flags&unix.NTF_PROXY != 0 {
		return
	}
	var mac hardwareAddr
	state := neighState(n.State)
	if copy(mac[:], n.HardwareAddr) != len(mac) && state&neighNoARP == 0 || gone {
		state = 0
	}
	w.s.hops.learn(neighKey{n.LinkIndex, ip.Unmap()}, state, mac)
}

// resolve asks the kernel for a route, and for its next hop.
func (w *watcher) resolve(k routeKey) {
	a := w.ask(k)
	if !w.s.hops.settle(k, a) {
		return
	}
	family := netlink.FAMILY_V6
	if a.gateway.Is4() {
		family = netlink.FAMILY_V4
	}
	ns, err := w.handle.NeighList(a.index, family)
	if err != nil {
		return // announcements will tell
	}
	for i := range ns {
		w.neighbour(&ns[i], false)
	}
}

// ask asks the kernel for a route, with its rules and all tables. Whatever is not a plain way out by the interface is
// left to the kernel's output.
func (w *watcher) ask(k routeKey) (a answer) {
	a.index = k.index
	rs, err := w.handle.RouteGetWithOptions(k.remote.AsSlice(), &netlink.RouteGetOptions{OifIndex: k.index, SrcAddr: k.local.AsSlice()})
	if err != nil || len(rs) != 1 {
		return a
	}
	r := &rs[0]
	if k.index != 0 && r.LinkIndex != k.index {
		return a
	}
	a.index, a.mtu = r.LinkIndex, r.MTU
	f := w.s.interfaces.get(a.index)
	if f == nil || r.Encap != nil || r.NewDst != nil {
		return a
	}
	f.mu.Lock()
	ethernet := f.link == linkEthernet
	f.mu.Unlock()
	looped := f.looped.Load()
	a.direct = r.Type == unix.RTN_UNICAST || r.Type == unix.RTN_LOCAL && looped
	if a.direct && ethernet && !looped {
		a.gateway = gatewayOf(r, k.remote)
	}
	return a
}

// gatewayOf is the neighbour that a route leads to.
func gatewayOf(r *netlink.Route, remote netip.Addr) netip.Addr {
	gw := r.Gw
	if via, ok := r.Via.(*netlink.Via); ok {
		gw = via.Addr // IPv4 by an IPv6 neighbour (RFC 5549)
	}
	if ip, ok := netip.AddrFromSlice(gw); ok && !ip.IsUnspecified() {
		return ip.Unmap()
	}
	return remote
}

// routeDst reads the destination of an announced route. The zero prefix stands for everything. Not ok: it is a cached
// entry, which changes nothing.
func routeDst(b []byte) (dst netip.Prefix, ok bool) {
	if len(b) < unix.SizeofRtMsg {
		return dst, true
	}
	m := nl.DeserializeRtMsg(b)
	if m.Flags&unix.RTM_F_CLONED != 0 {
		return dst, false
	}
	attrs, err := nl.ParseRouteAttr(b[unix.SizeofRtMsg:])
	if err != nil {
		return dst, true
	}
	for _, a := range attrs {
		if a.Attr.Type != unix.RTA_DST {
			continue
		}
		if ip, isAddr := netip.AddrFromSlice(a.Value); isAddr {
			return netip.PrefixFrom(ip, int(m.Dst_len)), true
		}
	}
	return dst, true // a default route
}
