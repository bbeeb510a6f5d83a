// Package linksim holds what emulated and simulated links are made of, whatever they carry: a Heap and a Timeline of what
// will happen, and a delay that wanders (Wander). The lab's emulator (test/netlab) and the in-memory twins of the
// carriers (transport/plain/plaintest, transport/packettest) share it, so that a link means the same in all of them.
package linksim
