package hostile

import (
	"encoding/binary"
	"hash/crc32"
	"net"
	"testing"

	"hawser/mptcp"
	"hawser/transport/wire"
)

// The plain carrier by hand, from docs/protocol.md §1.

// Record types (§1.2).
const (
	recOptions = 0x80
	recData    = 0x81
	recAck     = 0x82
	recPing    = 0x83
	recPong    = 0x84
)

// goodPreface opens a connection (§1.1).
var goodPreface = []byte{'h', 'w', 's', 'r', 1, 0, 0, 0}

// record makes a record with its checksum (§1.2).
func record(kind byte, value []byte) []byte {
	b := append([]byte{kind, 0}, binary.BigEndian.AppendUint16(nil, uint16(len(value)))...)
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	sum.Write(b)
	sum.Write(value)
	return append(sum.Sum(b), value...)
}

// options makes an OPTIONS record.
func options(list ...wire.Option) []byte { return record(recOptions, wire.AppendOptions(nil, list...)) }

// data makes a DATA record with a mapping of the length and start given, whatever the payload is.
func data(dsn uint64, ssn uint32, length uint16, payload []byte) []byte {
	d := wire.DSS{HasMap: true, DSNWide: true, Map: wire.Mapping{DSN: dsn, SSN: ssn, Len: length}}
	return record(recData, append(wire.AppendDSS(nil, &d), payload...))
}

// damaged flips a bit of the last byte.
func damaged(b []byte) []byte {
	b[len(b)-1] ^= 1
	return b
}

// peer is one end of a hand-made connection.
type peer struct {
	t *testing.T
	net.Conn
	local, remote mptcp.Key
}

// hearPreface reads the other end's preface.
func (p *peer) hearPreface() {
	p.t.Helper()
	if got := hear(p.t, p, len(goodPreface)); string(got) != string(goodPreface) {
		p.t.Fatalf("preface % x, want % x", got, goodPreface)
	}
}

// hearRecord reads one record and checks it.
func (p *peer) hearRecord() (kind byte, value []byte) {
	p.t.Helper()
	head := hear(p.t, p, 8)
	value = hear(p.t, p, int(binary.BigEndian.Uint16(head[2:])))
	if string(record(head[0], value)[:8]) != string(head) {
		p.t.Fatalf("record % x % x has a wrong header", head, value)
	}
	return head[0], value
}

// hearOption reads an OPTIONS record with one option.
func (p *peer) hearOption() wire.Option {
	p.t.Helper()
	kind, value := p.hearRecord()
	list, n := wire.ConsumeOptions(value, nil)
	if kind != recOptions || n < 0 || len(list) != 1 {
		p.t.Fatalf("record %#x % x, want OPTIONS with one option", kind, value)
	}
	return list[0]
}

// wantReset reads until MP_TCPRST, which must have the reason given, and then wants the end of the connection.
func (p *peer) wantReset(reason wire.ResetReason) {
	p.t.Helper()
	for {
		kind, value := p.hearRecord()
		if kind != recOptions {
			continue
		}
		list, _ := wire.ConsumeOptions(value, nil)
		for _, o := range list {
			if rst, ok := o.(wire.MPTCPRst); ok {
				if rst.Reason != reason {
					p.t.Errorf("%v, want %v", rst, reason)
				}
				if rest := ending(p.t, p); len(rest) > 0 {
					p.t.Errorf("% x after MP_TCPRST, want the end", rest)
				}
				return
			}
		}
	}
}

// stage is how far a hand-made connection gets before a case begins.
type stage int

const (
	connected   stage = iota // nothing is sent
	greeted                  // the prefaces and the first two MP_CAPABLE
	established              // the server's ACK has come
)

// newPeer connects to the server and goes as far as the stage.
func (w *world) newPeer(t *testing.T, s stage) *peer {
	t.Helper()
	p := &peer{t: t, Conn: dial(t, w.plain), local: mptcp.NewKey()}
	if s >= greeted {
		p.greet()
	}
	if s >= established {
		p.establish()
	}
	return p
}

// greet is the first half of the first handshake (§1.3).
func (p *peer) greet() {
	p.t.Helper()
	say(p.t, p, append(goodPreface[:8:8], options(wire.MPCapable{Stage: wire.StageSYN, Version: 1, SHA256: true})...))
	p.hearPreface()
	answer, ok := p.hearOption().(wire.MPCapable)
	if !ok || answer.Stage != wire.StageSYNACK {
		p.t.Fatalf("%v, want MP_CAPABLE with the server's key", answer)
	}
	p.remote = mptcp.Key(answer.SenderKey)
}

// establish is the second.
func (p *peer) establish() {
	p.t.Helper()
	say(p.t, p, options(p.capableAck()))
	if kind, _ := p.hearRecord(); kind != recAck {
		p.t.Fatalf("record %#x, want ACK", kind)
	}
}

// capableAck is the third message of the first handshake.
func (p *peer) capableAck() wire.MPCapable {
	return wire.MPCapable{
		Stage: wire.StageACK, Version: 1, SHA256: true, SenderKey: uint64(p.local), ReceiverKey: uint64(p.remote),
	}
}

// halfClose ends our direction; the server may have ended both already.
func (p *peer) halfClose() { _ = p.Conn.(*net.TCPConn).CloseWrite() }
