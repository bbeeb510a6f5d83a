//go:build !linux

package packet

// Socket exists on Linux only.
type Socket struct{}

var _ Conn = (*Socket)(nil)

// Open answers ErrUnsupported.
func Open(Config) (*Socket, error) { return nil, ErrUnsupported }

// Reserve answers ErrUnsupported.
func Reserve(PortConfig) (*Ports, error) { return nil, ErrUnsupported }

// Close does nothing.
func (p *Ports) Close() error { return nil }

// ReadBatch answers ErrUnsupported.
func (s *Socket) ReadBatch([]Packet) (int, error) { return 0, ErrUnsupported }

// WriteBatch answers ErrUnsupported.
func (s *Socket) WriteBatch([]Packet) (int, error) { return 0, ErrUnsupported }

// MTU is 0.
func (s *Socket) MTU() int { return 0 }

// InterfaceMTU is 0.
func (s *Socket) InterfaceMTU(int) int { return 0 }

// Index is 0.
func (s *Socket) Index() int { return 0 }

// Degrade does nothing.
func (s *Socket) Degrade(int, string) {}

// Restore does nothing.
func (s *Socket) Restore(int) {}

// Status is empty.
func (s *Socket) Status() Status { return Status{} }

// Close does nothing.
func (s *Socket) Close() error { return nil }
