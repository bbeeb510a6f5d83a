package packet

// InterfaceStatus is how a Socket sends by one interface, and what has passed there.
type InterfaceStatus struct {
	Index  int
	Name   string
	MTU    int
	Mode   Mode
	Reason string // why the mode is not the best one; empty only with ModeGSO
	Counters
}

// Counters count since the Socket was opened. Packets are the caller's: a super-segment is one.
type Counters struct {
	SentGSO       uint64 // packets sent as super-segments or as single segments in ModeGSO
	SentFrames    uint64 // packets sent in ModeFrames
	SentRawIP     uint64 // data packets sent by raw IP: in ModeRawIP, or while the next hop is not known
	SentControl   uint64 // Control packets
	SentBytes     uint64 // payload
	Congested     uint64 // writes that ended in ErrCongested
	GSORefused    uint64 // super-segments that the system has refused
	FramesRefused uint64 // frames likewise
	SendErrors    uint64 // writes that ended in another error
}

// ReceiveCounters count what a Socket has received, on all its interfaces.
type ReceiveCounters struct {
	Packets    uint64 // handed up, a merged super-segment is one
	Bytes      uint64 // payload of these
	Merged     uint64 // packets that the kernel had merged
	Unverified uint64 // packets whose checksum the kernel left to us
	BadSum     uint64 // dropped: wrong checksum, of TCP or of the IPv4 header
	Malformed  uint64 // dropped: no whole TCP segment over IP, or longer than a buffer
	NotOurs    uint64 // dropped: sent to another host's address, or by this host
	Overruns   uint64 // dropped by the kernel: the socket's buffer was full
	Reports    uint64 // ICMP messages handed up
	Failures   uint64 // receives that the system has failed for one packet
}

// Status is a snapshot of a Socket.
type Status struct {
	Interfaces []InterfaceStatus // those that have been used, by index
	Received   ReceiveCounters
	// ReceiveBuffer is what the kernel has granted for each family's packets, bytes with bookkeeping. Below 2 MB a burst
	// may overrun it: raise net.core.rmem_max to 16 MB, or give CAP_NET_ADMIN.
	ReceiveBuffer int
}
