package mptcp

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"

	"hawser/transport/wire"
)

// A forger is an uplink that reads the records of one end, the server as a rule, and puts some of its own between them, with a right
// CRC, as anybody can who has read docs/protocol.md.
type forger struct {
	ln    net.Listener
	mute  bool // what the other end says after that is lost: it would give the forger away
	up    bool // it reads and forges records of the client
	after int  // bytes that pass before
	forge func(dss *wire.DSS) []byte
	alter func(kind byte, value []byte) // may change the value of an unsealed record; nil: none is changed
	once  sync.Once
	done  chan struct{} // closed when it is about to forge
}

func newForger(t testing.TB, after int, forge func(dss *wire.DSS) []byte) *forger {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return &forger{ln: ln, after: after, forge: forge, done: make(chan struct{})}
}

// serve passes connections on to the server.
func (f *forger) serve(server net.Addr) {
	for {
		c, err := f.ln.Accept()
		if err != nil {
			return
		}
		s, err := net.Dial("tcp", server.String())
		if err != nil {
			_ = c.Close()
			continue
		}
		from, to := s, c
		if f.up {
			from, to = c, s
		}
		go func() {
			_, _ = io.Copy(answers{from, f}, to)
			_ = from.(*net.TCPConn).CloseWrite()
		}()
		go func() {
			f.pass(to, from)
			_ = c.Close()
			_ = s.Close()
		}()
	}
}

// answers is the way back.
type answers struct {
	io.Writer
	f *forger
}

func (a answers) Write(b []byte) (int, error) {
	select {
	case <-a.f.done:
		if a.f.mute {
			return len(b), nil
		}
	default:
	}
	return a.Writer.Write(b)
}

// pass copies records.
func (f *forger) pass(to io.Writer, from io.Reader) {
	if _, err := io.CopyN(to, from, 8); err != nil { // preface
		return
	}
	for passed := 0; ; {
		b := make([]byte, 4, 4+0xffff+16)
		if _, err := io.ReadFull(from, b); err != nil {
			return
		}
		head, rest := 8, 4
		if b[1]&1 != 0 {
			head, rest = 4, 16
		}
		b = b[:4+int(binary.BigEndian.Uint16(b[2:]))+rest]
		if _, err := io.ReadFull(from, b[4:]); err != nil {
			return
		}
		if f.alter != nil && rest == 4 {
			f.alter(b[0], b[head:])
			b = plainRecord(b[0], b[head:])
		}
		if _, err := to.Write(b); err != nil {
			return
		}
		passed += len(b)
		var d wire.DSS
		if b[0] == 0x81 && passed > f.after && d.Consume(b[head:]) > 0 {
			f.once.Do(func() {
				close(f.done)
				_, _ = to.Write(f.forge(&d))
			})
		}
	}
}

// forgedEnd is a lone DATA_FIN behind the data that d maps.
func forgedEnd(d *wire.DSS) []byte {
	m := wire.Mapping{DSN: d.Map.DSN + uint64(d.Map.Len), Fin: true}
	return plainRecord(0x81, wire.AppendDSS(nil, &wire.DSS{HasMap: true, DSNWide: true, Map: m}))
}

// forgedData is other bytes in the place of those that the server will send next.
func forgedData(d *wire.DSS) []byte {
	m := wire.Mapping{DSN: d.Map.DSN + uint64(d.Map.Len), SSN: d.Map.SSN + uint32(d.Map.Len), Len: 3}
	return plainRecord(0x81, append(wire.AppendDSS(nil, &wire.DSS{HasMap: true, DSNWide: true, Map: m}), "lie"...))
}

// through sends an uplink over a forger.
func (l *loopback) through(f *forger, uplink int) {
	go f.serve(l.ln.Addr())
	paths := l.source.Paths()
	paths[uplink].Remote = f.ln.Addr().(*net.TCPAddr).AddrPort()
	l.source.set(paths)
}

// joinThrough opens a connection whose first subflow goes by the first uplink, and whose others join when it is established;
// what goes by one of the uplinks passes the forger.
func (l *loopback) joinThrough(f *forger, uplink int, establish func(client, server *Conn)) (client, server *Conn) {
	l.t.Helper()
	l.through(f, uplink)
	all := l.source.Paths()
	l.source.set(all[:1])
	client, server = l.connect()
	establish(client, server)
	l.source.set(all)
	return client, server
}
