// Package egress is the server's way out: it decides where streams may go, connects, and relays.
//
// Policy. A proxy inside a network is a door into it, so everything that is not global unicast is denied unless
// egress.allow says otherwise, and so is every address of the server itself. IPv6 is judged by what IANA has
// allocated (2000::/3), less the protocol assignments 2001::/23, of which Teredo is one; the forms that carry an IPv4
// address (mapped, NAT64, 6to4) are judged by that address too. The check runs in net.Dialer's ControlContext, on the
// very address that the socket is about to connect to: what a name resolved to earlier, or a moment later, cannot matter.
// An allow entry opens exactly the addresses that it contains: 10.0.0.0/8 does not open 64:ff9b::10.0.0.1.
//
// Names are resolved here, and several addresses are raced as RFC 8305 says. net.Dialer races by itself only when it
// is given the name; then one denied address among several would fail the dial or, worse, be told apart by its
// timing. So the addresses are resolved, filtered and raced here; the race is small. net.Dialer.DialTCP, which takes the
// address as a value, is not used: without a local address it binds to port 0 first, which uses up one port of the
// machine for each connection whatever its target.
//
// Connecting by system calls in place of net.Dialer was tried: with thousands of short streams a second it saved nothing that
// could be measured, and it needs a connection type of its own.
//
// A stack that has grown to 8 kB does not shrink under a relay that waits (it would have to use less than 1.2 kB of it),
// so net.Dialer, which needs such a stack, is never run by the goroutine that relays afterwards.
package egress
