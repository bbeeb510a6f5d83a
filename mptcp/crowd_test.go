package mptcp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"hawser/transport"
	"hawser/transport/wire"
)

// plainRecord is a record of the plain carrier (docs/protocol.md §1.2).
func plainRecord(kind byte, value []byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{kind, 0}, uint16(len(value)))
	sum := crc32.Checksum(append(b[:4:4], value...), crc32.MakeTable(crc32.Castagnoli))
	return append(binary.BigEndian.AppendUint32(b, sum), value...)
}

// opening is what a client of the plain carrier sends first: preface and one record.
func opening(o wire.Option) []byte {
	return append([]byte{'h', 'w', 's', 'r', 1, 0, 0, 0}, plainRecord(0x80, o.Append(nil))...)
}

// beginJoin opens a connection to the server and begins a join that is never completed. from is a loopback address.
func (l *loopback) beginJoin(token, nonce uint32, from string) net.Conn {
	l.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.DialContext(l.t.Context(), "tcp", l.ln.Addr().String())
	if err != nil {
		l.t.Fatal(err)
	}
	join := wire.MPJoin{Stage: wire.StageSYN, AddressID: 9, Token: token, Nonce: nonce}
	if _, err := c.Write(opening(join)); err != nil {
		l.t.Fatal(err)
	}
	return c
}

// TestJoinsThatNeverEndKeepNobodyOut is about somebody who saw the keys of the first handshake in clear.
func TestJoinsThatNeverEndKeepNobodyOut(t *testing.T) {
	l := newLoopback(t, 3, Config{})
	all := l.source.Paths()
	l.source.set(all[:1])
	client, server := l.pair()
	l.waitSubflows(server, 1)
	token := client.core.remote.Token()
	held := make([]net.Conn, 3*maxSubflows)
	for i := range held {
		held[i] = l.beginJoin(token, uint32(i+1), "127.0.1.1")
		defer held[i].Close()
	}
	hear := make([]byte, 8+8+16) // preface and MP_JOIN: the last of them is in the table
	if _, err := io.ReadFull(held[len(held)-1], hear); err != nil {
		t.Fatal(err)
	}
	l.source.set(all)
	l.waitSubflows(server, 3)
	if n := len(server.Stats().Subflows); n > maxSubflows {
		t.Errorf("%d subflows, at most %d are allowed", n, maxSubflows)
	}
	exchange(t, client, server, 1<<20)
}

// TestJoinsFromAsManySourcesDoNotPickAClient: a client whose uplinks share an address is not the source that has most.
func TestJoinsFromAsManySourcesDoNotPickAClient(t *testing.T) {
	l := newLoopback(t, 1, Config{})
	client, server := l.pair()
	l.waitSubflows(server, 1)
	token := client.core.remote.Token()
	begin := func(i int, from string) net.Conn {
		c := l.beginJoin(token, uint32(i+1), from)
		t.Cleanup(func() { _ = c.Close() })
		_ = c.SetDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.ReadFull(c, make([]byte, 8+8+16)); err != nil { // preface and MP_JOIN: it is in the table
			t.Fatal(err)
		}
		return c
	}
	const older, own = 5, 2
	var crowd, mine []net.Conn
	for i := range maxSubflows - 1 - own + older {
		if i == older {
			mine = append(mine, begin(1000, "127.0.2.1"), begin(1001, "127.0.2.1"))
		}
		crowd = append(crowd, begin(i, fmt.Sprintf("127.0.3.%d", i+1)))
	}
	for i, c := range crowd[:older] {
		if _, err := io.ReadAll(c); err != nil {
			t.Errorf("join %d, one of the oldest, has not given way: %v", i, err)
		}
	}
	for _, c := range mine {
		_ = c.SetDeadline(time.Now().Add(time.Millisecond))
		if b, err := io.ReadAll(c); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("a client's join has given way: % x %v", b, err)
		}
	}
}

// TestHolesBesideEveryByteEndASubflow: runs of one byte would cost many times the window that they fit into.
func TestHolesBesideEveryByteEndASubflow(t *testing.T) {
	l := newLoopback(t, 1, Config{})
	c, err := net.Dial("tcp", l.ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	syn := wire.MPCapable{Stage: wire.StageSYN, Version: 1, SHA256: true}
	if _, err := c.Write(opening(syn)); err != nil {
		t.Fatal(err)
	}
	hear := make([]byte, 8+8+12)
	if _, err := io.ReadFull(c, hear); err != nil {
		t.Fatal(err)
	}
	key := NewKey()
	b := plainRecord(0x80, wire.MPCapable{
		Stage: wire.StageACK, Version: 1, SHA256: true, SenderKey: uint64(key),
		ReceiverKey: binary.BigEndian.Uint64(hear[len(hear)-8:]),
	}.Append(nil))
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 8+32)); err != nil {
		t.Fatal(err)
	}
	b = nil
	for i := range uint64(20_000) {
		m := wire.Mapping{DSN: key.IDSN() + 2 + 2*i, SSN: uint32(1 + i), Len: 1}
		b = append(b, plainRecord(0x81, append(wire.AppendDSS(nil, &wire.DSS{HasMap: true, DSNWide: true, Map: m}), 'x'))...)
	}
	_, _ = c.Write(b)         // the server may end it before it has all
	heard, _ := io.ReadAll(c) // what counts is the last word
	if !bytes.Contains(heard, wire.MPTCPRst{Reason: wire.ResetResources}.Append(nil)) {
		t.Errorf("the server says % x, want a reset for lack of resources", heard)
	}
}

// TestSmallRunsAreJoined: records of a few bytes that arrive behind a hole, as small writes make them.
func TestSmallRunsAreJoined(t *testing.T) {
	re := reassembly{next: 100}
	var out []transport.Payload
	for i := range uint64(50_000) {
		out = re.insert(101+3*i, transport.Payload{B: []byte{1, 2, 3}}, out)
	}
	if len(out) != 0 || len(re.runs) > 5 || re.bytes != 150_000 || re.copied != 150_000 {
		t.Errorf("%d runs hold %d bytes, %d of them copied", len(re.runs), re.bytes, re.copied)
	}
	checkRuns(t, &re)
	if re.insert(100, transport.Payload{B: []byte{0}}, out); re.next != 150_101 || re.bytes != 0 || re.copied != 0 {
		t.Errorf("next is %d, %d bytes are left", re.next, re.bytes)
	}
	gate := newInGate()
	for i := range 100_000 {
		gate.put([]transport.Payload{{B: []byte{byte(i)}}})
	}
	if len(gate.queue) > 5 {
		t.Errorf("100,000 bytes wait in %d pieces", len(gate.queue))
	}
}

// TestJoinThatComesTooLateIsRejected: the connection ends between a join's arrival and the loop's next turn.
func TestJoinThatComesTooLateIsRejected(t *testing.T) {
	c := newConn(nil)
	rejected := 0
	inc := transport.Incoming{Reject: func(wire.ResetReason) { rejected++ }}
	if !c.incoming(inc, wire.MPJoin{}) {
		t.Fatal("a connection that has not ended takes no join")
	}
	c.box.close()
	if rejected != 1 {
		t.Errorf("rejected %d times, want once", rejected)
	}
	if c.incoming(inc, wire.MPJoin{}) || rejected != 1 {
		t.Errorf("a connection that has ended takes a join, or rejects what is still the caller's")
	}
}
