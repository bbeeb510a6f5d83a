package hostile

import (
	"bytes"
	"testing"

	"hawser/transport/wire"
)

// none says that a case ends without a reason.
const none wire.ResetReason = 0xff

// badRecord is what a stranger sends at some stage, and how the server ends the connection.
type badRecord struct {
	name   string
	stage  stage
	send   func(p *peer) []byte
	close  bool // half-closes after that
	reason wire.ResetReason
}

// raw sends bytes as they are.
func raw(b ...[]byte) func(*peer) []byte {
	return func(*peer) []byte { return bytes.Join(b, nil) }
}

// after sends a first record behind a good preface.
func after(b []byte) func(*peer) []byte { return raw(goodPreface, b) }

var capableSYN = wire.MPCapable{Stage: wire.StageSYN, Version: 1, SHA256: true}

// badRecords is every way to break docs/protocol.md §1.1 to §1.4 from outside.
var badRecords = []badRecord{
	{"wrong magic", connected, raw([]byte("SSH-2.0-OpenSSH\r\n")), false, none},
	{"half a preface", connected, raw(goodPreface[:5]), true, none},
	{"preface and nothing", connected, raw(goodPreface), true, none},
	{"truncated first record", connected, after(options(capableSYN)[:10]), true, none},
	{"first record is data", connected, after(data(1, 1, 4, []byte("data"))), false, wire.ResetProtocol},
	{"first record too long", connected, after(record(recOptions, make([]byte, 65))), false, wire.ResetProtocol},
	{"first record promises 65,535 bytes", connected, after([]byte{recOptions, 0, 0xff, 0xff, 0, 0, 0, 0}), false, wire.ResetProtocol},
	{"first record damaged", connected, after(damaged(options(capableSYN))), false, wire.ResetMiddlebox},
	{"first record without options", connected, after(record(recOptions, nil)), false, wire.ResetProtocol},
	{"malformed option", connected, after(record(recOptions, []byte{30, 1, 0})), false, wire.ResetMiddlebox},
	{"option of TCP that is not MPTCP's", connected, after(record(recOptions, []byte{2, 4, 5, 0xb4})), false, wire.ResetMiddlebox},
	{"unknown subtype alone", connected, after(record(recOptions, []byte{30, 4, 0xf0, 0})), false, wire.ResetProtocol},
	{"no handshake in the first record", connected, after(options(wire.MPPrio{Backup: true})), false, wire.ResetProtocol},
	{"second half of a handshake first", connected, after(options(wire.MPJoin{Stage: wire.StageACK})), false, wire.ResetProtocol},
	{"join with an unknown token", connected, after(options(wire.MPJoin{Stage: wire.StageSYN, AddressID: 1, Token: 0x01020304})), false, wire.ResetProtocol},
	{"join before the welcome", connected, joinOther, false, wire.ResetProhibited},

	{"keys that are not the server's", greeted, func(p *peer) []byte {
		o := p.capableAck()
		o.ReceiverKey++
		return options(o)
	}, false, wire.ResetProtocol},
	{"own key 0", greeted, func(p *peer) []byte { p.local = 0; return options(p.capableAck()) }, false, wire.ResetProtocol},
	{"data before the subflow is established", greeted, raw(data(1, 1, 4, []byte("data"))), false, wire.ResetProtocol},
	{"the handshake twice", greeted, raw(options(capableSYN)), false, wire.ResetProtocol},
	{"truncated during the handshake", greeted, raw(options(capableSYN)[:6]), true, none},

	{"unknown record that must be known", established, raw(record(0x90, []byte("new"))), false, wire.ResetProtocol},
	{"damaged record", established, raw(damaged(record(recPing, make([]byte, 8)))), false, wire.ResetMiddlebox},
	{"PING of 7 bytes", established, raw(record(recPing, make([]byte, 7))), false, wire.ResetMiddlebox},
	{"ACK of 31 bytes", established, raw(record(recAck, make([]byte, 31))), false, wire.ResetMiddlebox},
	{"ACK without its option", established, raw(record(recAck, make([]byte, 32))), false, wire.ResetMiddlebox},
	{"data without a mapping", established, raw(record(recData, make([]byte, 30))), false, wire.ResetMiddlebox},
	{"mapping longer than its payload", established, func(p *peer) []byte { return data(p.dsn(), 1, 5, []byte("data")) }, false, wire.ResetMiddlebox},
	{"mapping that leaves a hole", established, func(p *peer) []byte { return data(p.dsn(), 2, 4, []byte("data")) }, false, wire.ResetMiddlebox},
	{"65,535 bytes of zeros as data", established, raw(record(recData, make([]byte, 65535))), false, wire.ResetMiddlebox},
	{"truncated record", established, raw(record(recPing, make([]byte, 8))[:12]), true, none},
	{"join inside a subflow", established, raw(options(wire.MPJoin{Stage: wire.StageSYN, Token: 1})), false, wire.ResetProtocol},
}

// dsn is the data sequence number of our first byte (RFC 8684 §3.1).
func (p *peer) dsn() uint64 { return p.local.IDSN() + 1 }

// joinOther joins another stranger's connection, which is not welcome yet.
func joinOther(p *peer) []byte {
	w := &world{plain: addrPort(p.RemoteAddr())}
	other := w.newPeer(p.t, established)
	return after(options(wire.MPJoin{Stage: wire.StageSYN, AddressID: 2, Token: other.remote.Token(), Nonce: 7}))(p)
}

func TestBadRecords(t *testing.T) {
	w := newWorld(t)
	running := w.transfer(t)
	for _, c := range badRecords {
		t.Run(c.name, func(t *testing.T) {
			p := w.newPeer(t, c.stage)
			say(t, p, c.send(p))
			if c.close {
				p.halfClose()
			}
			switch {
			case c.reason == none && c.stage == connected:
				if got := ending(t, p); len(got) > 0 {
					t.Errorf("a stranger is told % x, want silence", got)
				}
			case c.reason == none:
				ending(t, p)
			default:
				if c.stage == connected {
					p.hearPreface()
				}
				p.wantReset(c.reason)
			}
			running.moves(t)
		})
	}
	t.Run("unknown record that may be skipped", func(t *testing.T) {
		p := w.newPeer(t, established)
		say(t, p, append(record(0x7f, make([]byte, 65535)), record(recPing, []byte("12345678"))...))
		for {
			kind, value := p.hearRecord()
			if kind == recPong && string(value) == "12345678" {
				break
			}
			if kind != recAck {
				t.Fatalf("record %#x, want PONG", kind)
			}
		}
	})
	t.Run("another major version", func(t *testing.T) {
		for _, major := range []byte{0, 2, 255} {
			p := w.newPeer(t, connected)
			say(t, p, []byte{'h', 'w', 's', 'r', major, 0, 0, 0})
			if got := ending(t, p); !bytes.Equal(got, goodPreface) {
				t.Errorf("version %d: the server answers % x, want its own preface and the end", major, got)
			}
		}
	})
	t.Run("another minor version", func(t *testing.T) {
		p := w.newPeer(t, connected)
		say(t, p, append([]byte{'h', 'w', 's', 'r', 1, 9, 0xff, 0xff}, options(capableSYN)...))
		p.hearPreface()
		if o, ok := p.hearOption().(wire.MPCapable); !ok {
			t.Errorf("%v, want MP_CAPABLE", o)
		}
	})
	t.Run("every byte of a handshake damaged", func(t *testing.T) {
		good := append(goodPreface[:8:8], options(capableSYN)...)
		for i := range good {
			p := w.newPeer(t, connected)
			b := bytes.Clone(good)
			b[i] ^= 0x10
			say(t, p, b)
			p.halfClose()
			got := ending(t, p) // whatever it says: it ends
			if i < 4 && len(got) > 0 {
				t.Errorf("byte %d: a stranger is told % x", i, got)
			}
		}
	})
	running.finish(t)
	wantAlive(t, w)
}

// wantAlive wants both programs to run, and to end in order.
func wantAlive(t *testing.T, w *world) {
	t.Helper()
	exchange(t, w.proxy, w.echo)
	for _, p := range []interface {
		Running() bool
		Stop() int
	}{w.client, w.server} {
		if !p.Running() {
			t.Error("a program has ended")
			continue
		}
		if status := p.Stop(); status != 0 {
			t.Errorf("exit status %d after SIGTERM, want 0", status)
		}
	}
}
