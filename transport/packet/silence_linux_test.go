package packet

import (
	"context"
	"encoding/binary"
	"errors"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"hawser/test/netlab"
)

func TestTheKernelAnswersNothingOnReservedPorts(t *testing.T) {
	families(t, func(t *testing.T, v6 bool) {
		lab := netlab.New(t)
		owner, peer := lab.Host("owner"), lab.Host("peer")
		link := lab.Link(owner, peer, netlab.LinkConfig{})
		var ports *Ports
		err := owner.Do(func() (err error) {
			ports, err = Reserve(PortConfig{Count: 4})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = ports.Close() }()
		p := stationOn(t, peer, link.Interface(netlab.SideB), serverPort, link.Addr(netlab.SideB), link.Addr6(netlab.SideB))
		flags := []byte{0x02, 0x10, 0x18, 0x11, 0x12, 0x04}
		for i := range ports.Block().Count {
			o := &station{port: ports.Block().First + uint16(i), v4: link.Addr(netlab.SideA), v6: link.Addr6(netlab.SideA)}
			for _, f := range flags {
				segment := p.packet(o, v6, 77, data(100), 0)
				segment.Header[flagsOffset] = f
				p.send(segment)
			}
		}
		t.Log("# the kernel does answer for a port that nobody holds, and that answer is the first")
		free := &station{port: 9, v4: link.Addr(netlab.SideA), v6: link.Addr6(netlab.SideA)}
		p.send(p.packet(free, v6, 77, nil, 0))
		if got := p.next(); got.Header[0] != 0 || got.Header[1] != 9 || got.Header[flagsOffset]&0x04 == 0 {
			t.Errorf("the first answer is from port %d, flags %#x; want the RST of port 9", int(got.Header[0])<<8|int(got.Header[1]), got.Header[flagsOffset])
		}
		t.Log("# and nobody else gets a reserved port")
		l, err := owner.Listen("tcp", netip.AddrPortFrom(netip.IPv4Unspecified(), ports.Block().First).String())
		if !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("listen on a reserved port: %v, %v", l, err)
		}
	})
}

func TestTheProofSeesWhetherTheKernelAnswers(t *testing.T) {
	lab := netlab.New(t)
	h := lab.Host("a")
	bind := func(fd int) error { return unix.Bind(fd, &unix.SockaddrInet6{Port: clientPort}) }
	listen := func(fd int) error { return errors.Join(bind(fd), unix.Listen(fd, 1)) }
	signature := func(fd int) error { return demandSignature(fd, true) }
	ttl := func(fd int) error { return dropBelowTopTTL(fd, true) }
	for _, c := range []struct {
		name   string
		steps  []func(int) error
		silent bool
		deaf   bool
	}{
		{"no socket", nil, false, false},
		{"filter and bind without listen", []func(int) error{dropByFilter, ttl, bind}, false, false},
		{"listen without filter", []func(int) error{listen}, false, false},
		{"filter alone", []func(int) error{dropByFilter, listen}, true, true},
		{"signature alone", []func(int) error{signature, listen}, true, true},
		{"TTL alone", []func(int) error{ttl, listen}, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &Ports{block: Block{First: clientPort, Count: 1}}
			err := h.Do(func() error {
				fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
				if err != nil {
					return err
				}
				defer closeAll(fd)
				for _, step := range c.steps {
					if err := step(fd); err != nil {
						return err
					}
				}
				return p.prove()
			})
			if errors.Is(err, unix.ENOPROTOOPT) {
				t.Skip("kernel without CONFIG_TCP_MD5SIG")
			}
			if c.silent && err != nil || !c.silent && (err == nil || !strings.Contains(err.Error(), "the kernel answers for TCP port 61024")) {
				t.Errorf("the proof says %v", err)
			}
			if p.deaf != c.deaf {
				t.Errorf("wholly deaf is %v", p.deaf)
			}
		})
	}
}

func TestReserveSaysWhatIsInTheWay(t *testing.T) {
	lab := netlab.New(t)
	h := lab.Host("a")
	l, err := h.Listen("tcp", "127.0.0.1:7443")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	reserve := func(cfg PortConfig) error {
		return h.Do(func() error {
			p, err := Reserve(cfg)
			if err == nil {
				_ = p.Close()
			}
			return err
		})
	}
	if err := reserve(PortConfig{Port: 7443}); err == nil || !strings.Contains(err.Error(), "TCP port 7443 is in use") {
		t.Errorf("a port that is in use: %v", err)
	}
	if err := reserve(PortConfig{Count: 3}); err == nil || !strings.Contains(err.Error(), "power of two") {
		t.Errorf("three ports: %v", err)
	}
	run(t, h, tool(t, "ip"), "link", "set", "lo", "down")
	if err := reserve(PortConfig{Count: 4}); err == nil || !strings.Contains(err.Error(), "lo is down") {
		t.Errorf("without loopback: %v", err)
	}
	run(t, h, tool(t, "ip"), "link", "set", "lo", "up")
	run(t, h, tool(t, "nft"), "add table inet f; add chain inet f in { type filter hook input priority 0; policy drop; }")
	if err := reserve(PortConfig{Count: 4}); err == nil || !strings.Contains(err.Error(), "a local firewall drops TCP") {
		t.Errorf("with a firewall on lo: %v", err)
	}
}

// asUser, in the environment of this test binary, makes the next test its child's part.
const asUser = "PACKET_TEST_AS_USER"

func TestCapNetRawIsEnough(t *testing.T) {
	if os.Getenv(asUser) != "" {
		asUserWithCapNetRaw(t)
		return
	}
	a, b, link := pair(t, netlab.LinkConfig{})
	meet(a, b, false)
	for _, c := range []struct {
		name string
		caps []uintptr
		want string
	}{
		{"with it", []uintptr{unix.CAP_NET_RAW}, "PASS"},
		{"without it", nil, "setcap cap_net_raw+ep"},
	} {
		t.Run(c.name, func(t *testing.T) {
			program, err := os.Open("/proc/self/exe") // the user may not reach the file by its path
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = program.Close() }()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			cmd := a.host.Command(ctx, "/proc/self/fd/3", "-test.run=^TestCapNetRawIsEnough$", "-test.v")
			cmd.ExtraFiles = []*os.File{program}
			cmd.Dir = "/"
			cmd.Env = append(os.Environ(), asUser+"="+link.Interface(netlab.SideA)+" "+a.v4.String()+" "+b.v4.String())
			cmd.SysProcAttr = &syscall.SysProcAttr{
				Credential: &syscall.Credential{Uid: 65534, Gid: 65534}, AmbientCaps: c.caps,
			}
			answered := make(chan struct{})
			if c.caps != nil {
				go func() {
					defer close(answered)
					p := b.next()
					b.send(Packet{Local: p.Local, Remote: p.Remote, Header: tcpHeader(serverPort, uint16(p.Header[0])<<8|uint16(p.Header[1]), 1, 0x10, 0), Payload: data(500)})
				}()
			}
			out, err := cmd.CombinedOutput()
			if (err == nil) != (c.caps != nil) || !strings.Contains(string(out), c.want) {
				t.Errorf("%v, want %q:\n%s", err, c.want, out)
			}
			if c.caps != nil {
				<-answered
			}
		})
	}
}

// asUserWithCapNetRaw is what the child does: everything, with ports of its own.
func asUserWithCapNetRaw(t *testing.T) {
	if uid := os.Getuid(); uid != 65534 {
		t.Fatalf("uid is %d", uid)
	}
	f := strings.Fields(os.Getenv(asUser))
	ports, err := Reserve(PortConfig{Count: 16})
	if err != nil {
		t.Fatal(err)
	}
	if ports.deaf != canBeDeaf(t) {
		t.Errorf("the kernel's sockets are wholly deaf is %v", ports.deaf)
	}
	s := &station{t: t, ports: ports, port: ports.Block().First, v4: netip.MustParseAddr(f[1])}
	if s.sock, err = Open(Config{Interface: f[0], Ports: ports}); err != nil {
		t.Fatal(err)
	}
	peer := &station{port: serverPort, v4: netip.MustParseAddr(f[2])}
	if n, err := s.sock.WriteBatch([]Packet{s.packet(peer, false, 1, data(3000), 1000)}); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	s.want(peer, 1, 500)
}

// What the kernel's socket of the port may have heard is marked: it came with the top TTL, and the socket hears that.
func TestPacketsThatTheKernelMayAnswerAreMarked(t *testing.T) {
	a, tun := headless(t)
	for _, deaf := range []bool{true, false} {
		a.sock.deaf = deaf
		for _, v6 := range []bool{false, true} {
			for _, ttl := range []byte{hopLimit, topTTL - 1, topTTL} {
				p := Packet{Local: there4, Remote: here4, Header: tcpHeader(serverPort, clientPort, uint32(ttl), 0x10, 12), Payload: data(10)}
				if v6 {
					p.Local, p.Remote = there6, here6
				}
				b := ipPacketOf(p)
				if v6 {
					b[7] = ttl
				} else {
					b[8], b[10], b[11] = ttl, 0, 0
					binary.BigEndian.PutUint16(b[10:], ^slowSum(b[:ipv4Header]))
				}
				if _, err := tun.Write(b); err != nil {
					t.Fatal(err)
				}
				if got := a.next(); got.Heard != (!deaf && ttl == topTTL) || got.Header[7] != ttl {
					t.Errorf("TTL %d, IPv6 %v, a socket that is deaf %v: marked %v", ttl, v6, deaf, got.Heard)
				}
			}
		}
	}
}

// canBeDeaf says whether the kernel has a way to make a TCP socket wholly deaf for this user.
func canBeDeaf(t *testing.T) bool {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll(fd)
	return !errors.Is(dropByFilter(fd), unix.EPERM) || !errors.Is(demandSignature(fd, true), unix.ENOPROTOOPT)
}
