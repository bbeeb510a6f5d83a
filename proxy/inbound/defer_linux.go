package inbound

import "golang.org/x/sys/unix"

// deferSeconds is how long the system keeps a connection to itself on which nothing has come yet.
const deferSeconds = 1

// deferAccept has a connection accepted with its first bytes, by TCP_DEFER_ACCEPT: all protocols here begin with the
// application, so the program is woken once for connection and greeting, not twice, and the application goes on while
// nobody else needs the processor. Without bytes the connection comes after a second. A system that refuses accepts at
// once, as ever.
func deferAccept(fd uintptr) {
	_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, deferSeconds)
}
