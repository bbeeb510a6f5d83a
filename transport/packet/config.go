package packet

// Config is what Open needs.
type Config struct {
	// Interface to receive and send by, by name; a port of a bridge or bond stands for its master. Empty: all, and each
	// packet leaves by the interface that it names, or as the kernel routes it.
	Interface string
	// Ports that the caller has reserved. They must stay reserved until the Socket is closed.
	Ports *Ports
	// Best is the best mode that may be used; the zero value, ModeGSO, leaves the choice to what the interface can do.
	Best Mode
}

// PortConfig says which ports to reserve.
type PortConfig struct {
	Port  uint16 // this one; 0: a block that is free
	Count int    // of ports, a power of two up to 4096; 0: 1. With Port it must be 0 or 1
}
