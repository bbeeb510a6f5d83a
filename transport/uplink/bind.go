package uplink

import (
	"net/netip"
	"strings"
	"syscall"
)

// Control is what net.Dialer and net.ListenConfig call on a new socket.
type Control = func(network, address string, c syscall.RawConn) error

// Bind ties a socket to a device and a source address, so that it leaves by that uplink whatever the routes of the
// others say. An empty iface or an invalid local is left to the system; a local of the other family than the socket
// is ignored. It needs no privilege on Linux since 5.7; where an older kernel refuses the device, the source address
// alone is bound, and without one the error is returned.
//
// On Windows the device alone is bound: a TCP socket there is bound to its source by net.Dialer.LocalAddr.
func Bind(iface string, local netip.Addr) Control {
	return func(network, _ string, c syscall.RawConn) error {
		v6, source := strings.HasSuffix(network, "6"), local
		if v6 == source.Is4() {
			source = netip.Addr{}
		}
		return control(c, func(fd uintptr) error { return bind(fd, iface, source, v6) })
	}
}

// control runs f on the socket and returns its error.
func control(c syscall.RawConn, f func(fd uintptr) error) error {
	var err error
	if cerr := c.Control(func(fd uintptr) { err = f(fd) }); cerr != nil {
		return cerr
	}
	return err
}
