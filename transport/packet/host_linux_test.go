package packet

import (
	"context"
	"os"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"hawser/test/netlab"
)

// run runs a command on a host.
func run(t testing.TB, h *netlab.Host, name string, args ...string) {
	t.Helper()
	if out, err := h.Command(context.Background(), name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
}

// tool finds a program of the system, or skips.
func tool(t testing.TB, name string) string {
	t.Helper()
	for _, dir := range []string{"/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/"} {
		if _, err := os.Stat(dir + name); err == nil {
			return dir + name
		}
	}
	t.Skipf("missing program: %s", name)
	return ""
}

// setOffload is `ethtool -K`, for one feature.
func setOffload(t testing.TB, h *netlab.Host, iface string, command, value uint32) {
	t.Helper()
	err := h.Do(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer closeAll(fd)
		return ioctl(fd, unix.SIOCETHTOOL, iface, unsafe.Pointer(&[2]uint32{command, value}))
	})
	if err != nil {
		t.Fatalf("offload %#x of %s: %v", command, iface, err)
	}
}

// ioctl calls with a struct ifreq whose data is a pointer.
func ioctl(fd int, request uintptr, iface string, data unsafe.Pointer) error {
	var r struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte
	}
	copy(r.name[:unix.IFNAMSIZ-1], iface)
	r.data = data
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(&r))); errno != 0 {
		return errno
	}
	return nil
}

// openTUN makes a TUN device on a host and brings it up with an address; what is written to the file arrives there.
func openTUN(t testing.TB, h *netlab.Host, name, prefix string) *os.File {
	t.Helper()
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		t.Skipf("missing device: %v", err)
	}
	fd := -1
	err := h.Do(func() (err error) {
		if fd, err = unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil {
			return err
		}
		r, err := unix.NewIfreq(name)
		if err != nil {
			return err
		}
		r.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		return unix.IoctlIfreq(fd, unix.TUNSETIFF, r)
	})
	if err != nil {
		closeAll(fd)
		t.Fatalf("TUNSETIFF: %v", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), name)
	t.Cleanup(func() { _ = f.Close() })
	ip := tool(t, "ip")
	run(t, h, ip, "addr", "add", prefix, "dev", name)
	run(t, h, ip, "link", "set", name, "up")
	return f
}
