package packet

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// maxTries bounds how many blocks Reserve tries.
const maxTries = 256

// Reserve takes ports from the kernel: it holds them by sockets of its own and proves that the kernel answers nothing
// there. The error says what is missing.
func Reserve(cfg PortConfig) (*Ports, error) {
	count := max(cfg.Count, 1)
	blocks := []Block{{First: cfg.Port, Count: count}}
	if cfg.Port == 0 {
		low, high := ephemeralRange()
		blocks = candidates(rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), count, low, high)
	}
	if len(blocks) == 0 || !blocks[0].Valid() {
		return nil, fmt.Errorf("packet: %d ports from %d on: give a power of two up to %d, and 1 for a port of choice", count, cfg.Port, maxBlock)
	}
	var err error
	for _, b := range blocks[:min(len(blocks), maxTries)] {
		var p *Ports
		if p, err = hold(b); errors.Is(err, unix.EADDRINUSE) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err = p.prove(); err != nil {
			return nil, errors.Join(err, p.Close())
		}
		return p, nil
	}
	if cfg.Port != 0 {
		return nil, fmt.Errorf("packet: TCP port %d is in use: stop what uses it (`ss -tlnp`) or choose another port (%w)", cfg.Port, err)
	}
	return nil, fmt.Errorf("packet: no block of %d TCP ports is free: close connections or ask for fewer (%w)", count, err)
}

// Close gives the ports back. From then on the kernel answers what arrives there with RST, so connections should have
// ended, and Sockets should be closed.
func (p *Ports) Close() error {
	closeAll(p.holders...)
	p.holders = nil
	return nil
}

// hold takes all ports of a block or none.
func hold(b Block) (*Ports, error) {
	p := &Ports{block: b}
	for i := range b.Count {
		fd, err := holdPort(b.First + uint16(i))
		if err != nil {
			closeAll(p.holders...)
			return nil, err
		}
		p.holders = append(p.holders, fd)
	}
	return p, nil
}

// holdPort makes a kernel socket that finds and drops every segment to a port. Only one that listens is found, and it
// must be deaf before it is: that order leaves no moment in which the kernel answers. No option to share the port is set,
// so nobody else gets it. One socket serves both families where there are two.
func holdPort(port uint16) (int, error) {
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	v6 := err == nil
	if errors.Is(err, unix.EAFNOSUPPORT) {
		fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	}
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	err = deafen(fd, v6)
	if err == nil && v6 {
		err = errors.Join(unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0),
			unix.Bind(fd, &unix.SockaddrInet6{Port: int(port)}))
	} else if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Port: int(port)})
	}
	if err == nil {
		err = unix.Listen(fd, 1)
	}
	if err != nil {
		closeAll(fd)
		if errors.Is(err, unix.EACCES) {
			return -1, lowPort(port, err)
		}
		return -1, fmt.Errorf("packet: hold TCP port %d: %w", port, err)
	}
	return fd, nil
}

// lowPort says what to do about a port that is kept for the privileged (ip(7), ip_unprivileged_port_start).
func lowPort(port uint16, err error) error {
	return fmt.Errorf("packet: TCP port %d needs CAP_NET_BIND_SERVICE as well: run `setcap cap_net_raw,cap_net_bind_service+ep %s` as root, give a container cap_add: [NET_RAW, NET_BIND_SERVICE], or choose a port from %d on (%w)",
		port, program(), firstUnprivileged, err)
}

// ephemeralRange is the range from which the kernel takes ports for connections.
func ephemeralRange() (low, high int) {
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err == nil {
		if f := strings.Fields(string(b)); len(f) == 2 {
			l, lerr := strconv.Atoi(f[0])
			h, herr := strconv.Atoi(f[1])
			if lerr == nil && herr == nil {
				return l, h
			}
		}
	}
	return 32768, 60999
}
