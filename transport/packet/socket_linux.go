package packet

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Socket is the Conn over raw sockets: of one interface, or of all. The methods that Conn does not have may be called
// by several goroutines at any time.
type Socket struct {
	index int    // 0: all interfaces
	name  string // of the interface
	block Block
	deaf  bool // nothing that comes to the block is heard by the kernel's sockets

	hops       *hops
	interfaces interfaces
	unrouted   *iface                                  // counts what went before its route was known
	addrs      atomic.Pointer[map[netip.Addr]struct{}] // of this host
	watcher    *watcher
	received   receivedCounters

	// Receiving: a readable epoll instance stands for all sockets in ReadBatch, so that one goroutine serves them without
	// a thread of its own.
	poll    *os.File
	pollRaw syscall.RawConn
	inlets  []inlet
	taps    []*tap
	notices *notices
	reading reading // the reader's

	// Sending. life is held for reading by writers, so that no descriptor is closed under them.
	life     sync.RWMutex
	closed   bool
	out      int // packet socket; what it receives is the resetTap's
	raw      [2]int
	outboxes sync.Pool
}

var _ Conn = (*Socket)(nil)

// inlet is a socket that packets come from. The reader owns it.
type inlet interface {
	file() int
	take(ps []Packet) (int, error)
	close()
}

// sendBuffer is what may wait in the kernel for all interfaces of a Socket, in bytes with bookkeeping. It bounds a local
// queue that nobody sees; whoever paces never fills it, and 4 MB a millisecond is more than any uplink.
const sendBuffer = 4 << 20

// Open opens the raw sockets for the ports that cfg.Ports holds. It must run in the network namespace of the traffic.
func Open(cfg Config) (_ *Socket, err error) {
	if cfg.Ports == nil || !cfg.Ports.Block().Valid() {
		return nil, errors.New("packet: no ports: reserve a block first")
	}
	s := &Socket{
		block: cfg.Ports.Block(), deaf: cfg.Ports.deaf, hops: newHops(), interfaces: interfaces{limit: cfg.Best, all: map[int]*iface{}},
		unrouted: &iface{ladder: ladder{mode: ModeRawIP, best: ModeRawIP, reason: "the routes are not known yet"}}, out: -1, raw: [2]int{-1, -1},
	}
	s.outboxes.New = func() any { return new(outbox) }
	if err := s.choose(cfg.Interface); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.dismantle()
		}
	}()
	// The watcher tells the reader by the notices, and the taps ask what the watcher knows: hence the order.
	if s.notices, err = newNotices(); err != nil {
		return nil, err
	}
	s.inlets = append(s.inlets, s.notices)
	if err = s.openOutlets(); err != nil {
		return nil, err
	}
	if s.watcher, err = watch(s); err != nil {
		return nil, err
	}
	if err = s.openInlets(); err != nil {
		return nil, err
	}
	return s, nil
}

// maxMerged is the largest packet that the kernel may make of merged segments: larger ones do not fit the IP header's
// length (linux/netdevice.h, GRO_LEGACY_MAX_SIZE).
const maxMerged = 1 << 16

// choose finds the interface to use for a name: its master, if it is a port of a bridge or bond, for that is where the
// host's own packets are.
func (s *Socket) choose(name string) error {
	if name == "" {
		return allMergeLittle()
	}
	l, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("packet: interface %s: %w", name, err)
	}
	for range 4 { // a port of a bond that is a port of a bridge
		if l.Attrs().MasterIndex == 0 {
			break
		}
		master, err := netlink.LinkByIndex(l.Attrs().MasterIndex)
		if err != nil {
			return fmt.Errorf("packet: master of interface %s: %w", name, err)
		}
		if t := master.Type(); t != "bridge" && t != "bond" && t != "team" {
			break // a VRF, say, has no packets of its own
		}
		l = master
	}
	s.index, s.name = l.Attrs().Index, l.Attrs().Name
	return tooMerged(l)
}

// allMergeLittle fails if one of the interfaces merges too much: whoever wants no one in particular reads from them all.
func allMergeLittle() error {
	ls, err := netlink.LinkList()
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) { // an interface that comes later is not looked at either
		return fmt.Errorf("packet: read interfaces: %w", err)
	}
	for _, l := range ls {
		if err := tooMerged(l); err != nil {
			return err
		}
	}
	return nil
}

// tooMerged is the error of an interface whose packets may be larger than maxMerged; nil: they are not.
func tooMerged(l netlink.Link) error {
	a := l.Attrs()
	if n := max(a.GROMaxSize, a.GROIPv4MaxSize); n > maxMerged {
		return fmt.Errorf("packet: interface %s merges packets of up to %d bytes (BIG TCP), which hides their headers: run `ip link set dev %s gro_max_size %d gro_ipv4_max_size %[4]d`", a.Name, n, a.Name, maxMerged)
	}
	return nil
}

// openOutlets opens the sockets to send by.
func (s *Socket) openOutlets() (err error) {
	if s.out, err = open(unix.AF_PACKET, unix.SOCK_RAW, 0); err != nil {
		return err
	}
	if err = unix.SetsockoptInt(s.out, unix.SOL_PACKET, unix.PACKET_VNET_HDR, 1); err != nil {
		return fmt.Errorf("packet: no virtio-net header on packet sockets: %w", err)
	}
	setBuffer(s.out, unix.SO_SNDBUFFORCE, unix.SO_SNDBUF, sendBuffer)
	if s.raw[0], err = openRaw(unix.AF_INET, s.index, s.name); err != nil {
		return err
	}
	s.raw[1], err = openRaw(unix.AF_INET6, s.index, s.name)
	if errors.Is(err, unix.EAFNOSUPPORT) {
		return nil // a kernel without IPv6
	}
	return err
}

// openRaw opens a raw IP socket. One of IPPROTO_RAW is given whole packets and receives nothing. Only one that asks for
// errors is told when a local queue is full; others lose the packet and hear that all went well.
func openRaw(domain, index int, name string) (int, error) {
	fd, err := open(domain, unix.SOCK_RAW, unix.IPPROTO_RAW)
	if err != nil {
		return -1, err
	}
	level, option := unix.IPPROTO_IP, unix.IP_RECVERR
	if domain == unix.AF_INET6 {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_RECVERR
	}
	err = errors.Join(os.NewSyscallError("RECVERR", unix.SetsockoptInt(fd, level, option, 1)), bindDevice(fd, index, name))
	if err != nil {
		closeAll(fd)
		return -1, err
	}
	setBuffer(fd, unix.SO_SNDBUFFORCE, unix.SO_SNDBUF, sendBuffer)
	return fd, nil
}

// openInlets opens what is received from, and the epoll instance over it.
func (s *Socket) openInlets() error {
	for _, etherType := range []uint16{etherTypeIPv4, etherTypeIPv6} {
		t, err := openTap(s, etherType)
		if err != nil {
			return err
		}
		s.taps, s.inlets = append(s.taps, t), append(s.inlets, t)
	}
	resets, err := openResetTap(s)
	if err != nil {
		return err
	}
	s.inlets = append(s.inlets, resets)
	for _, v6 := range []bool{false, true} {
		t, err := openErrorTap(s, v6)
		if v6 && errors.Is(err, unix.EAFNOSUPPORT) {
			break
		}
		if err != nil {
			return err
		}
		s.inlets = append(s.inlets, t)
	}
	return s.openPoll()
}

// Close ends the Socket. The ports stay reserved.
func (s *Socket) Close() error {
	s.life.Lock()
	closed := s.closed
	s.closed = true
	s.life.Unlock()
	if closed {
		return fmt.Errorf("packet: close: %w", net.ErrClosed)
	}
	s.dismantle()
	return nil
}

// dismantle closes what is open. No writer is left; the reader leaves when the epoll instance closes.
func (s *Socket) dismantle() {
	if s.watcher != nil {
		s.watcher.close()
	}
	if s.poll != nil {
		_ = s.poll.Close() // waits for the reader
	}
	for _, in := range s.inlets {
		in.close()
	}
	closeAll(s.out, s.raw[0], s.raw[1])
}

// fail ends the Socket's reader with an error.
func (s *Socket) fail(err error) { s.notices.fail(err) }

// report puts a packet without bytes before the reader.
func (s *Socket) report(p Packet) { s.notices.add(p) }

// local says whether an address is this host's.
func (s *Socket) local(a netip.Addr) bool {
	_, ok := (*s.addrs.Load())[a]
	return ok
}

// forged says whether a packet pretends to come from another machine although it arrives by loopback: a firewall that
// rejects what this host sends answers in the peer's name.
func (s *Socket) forged(index int, src netip.Addr) bool {
	f := s.interfaces.get(index)
	return f != nil && f.looped.Load() && !s.local(src)
}

// Index is the index of the Socket's interface, which may be the master of the one that was asked for; 0: all.
func (s *Socket) Index() int { return s.index }

// MTU is the interface's MTU in bytes; of all interfaces, the smallest of those that are up.
func (s *Socket) MTU() int { return s.InterfaceMTU(s.index) }

// InterfaceMTU is the MTU of one interface in bytes; 0: there is none of that index. Index 0: as MTU.
func (s *Socket) InterfaceMTU(index int) int {
	if index == 0 {
		return s.interfaces.smallestMTU()
	}
	f := s.interfaces.get(index)
	if f == nil {
		return 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mtu
}
