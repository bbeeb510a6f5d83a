package mptcp

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
)

func TestSendBufferReturnsWhatWasWrittenUntilItIsAcknowledged(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	g := newOutGate(nil)
	first := ^uint64(0) - 100_000 // wraps
	b := newSendBuffer(first)
	var all []byte
	for len(all) < 1<<20 {
		piece := make([]byte, 1+r.IntN(40_000))
		for i := range piece {
			piece[i] = byte(r.Uint32())
		}
		n, err := g.write(piece)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, piece[:n]...)
		g.take(&b)
		g.progress(n, 0, 0)
		checkBytes(t, &b, all, first, r)
		if r.IntN(3) == 0 {
			n := r.IntN(b.size() + 1)
			b.ack(b.una + uint64(n))
			g.progress(0, n, 0)
		}
	}
	g.progress(0, b.ack(b.end), 0)
	if g.cur != nil || g.held != 0 || b.size() != 0 {
		t.Fatalf("an idle connection holds %d bytes and a block: %v", g.held, g.cur != nil)
	}
}

func checkBytes(t *testing.T, b *sendBuffer, all []byte, first uint64, r *rand.Rand) {
	t.Helper()
	if b.size() == 0 {
		return
	}
	dsn := b.una + uint64(r.IntN(b.size()))
	got := b.at(dsn).b
	at := int(dsn - first)
	if !bytes.Equal(got, all[at:at+len(got)]) || len(got) == 0 {
		t.Fatalf("the bytes at %d are not those that were written there", at)
	}
}

// TestBlockIsOneRecord: what is written in frames, or in TLS records, leaves in records of the largest size, with no splinter between.
func TestBlockIsOneRecord(t *testing.T) {
	g := newOutGate(nil)
	g.limit = 1 << 30
	for range 60 {
		if _, err := g.write(make([]byte, 16<<10+22)); err != nil {
			t.Fatal(err)
		}
	}
	var b sendBuffer
	g.take(&b)
	for i, s := range b.segs[:len(b.segs)-1] {
		if len(s.b) != hugeChunk {
			t.Fatalf("segment %d of %d has %d bytes, want %d", i, len(b.segs), len(s.b), hugeChunk)
		}
	}
}

func TestOutGateBlocksAboveItsLimit(t *testing.T) {
	g := newOutGate(nil)
	n, err := g.write(make([]byte, 1<<20))
	if err != nil || n < minUnassigned || n > minUnassigned+chunkSize {
		t.Fatalf("took %d bytes (%v), want about %d", n, err, minUnassigned)
	}
	if n, _ := g.write([]byte("more")); n != 0 {
		t.Fatalf("took %d bytes above the limit", n)
	}
	var b sendBuffer
	if _, pressed := g.take(&b); !pressed {
		t.Fatal("the loop was not told that a Write waits")
	}
	g.progress(n, 0, 0)
	if n, _ := g.write([]byte("more")); n != 4 {
		t.Fatalf("took %d bytes after room was made, want 4", n)
	}
}

func TestOutGateStopsAtTheBudgetAndSettlesIt(t *testing.T) {
	budget := NewBudget(2 << 20) // 1 MB for sending
	g := newOutGate(budget)
	total := 0
	for {
		n, err := g.write(make([]byte, 32<<10))
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		total += n
		g.progress(n, 0, 0)
	}
	if want := 1<<20 + freeBytes; total < want-chunkSize || total > want+chunkSize {
		t.Fatalf("took %d bytes, want the budget and the free bytes, %d", total, want)
	}
	other := newOutGate(budget)
	if n, _ := other.write([]byte("x")); n != 1 {
		t.Fatal("a full budget stops a connection that holds nothing")
	}
	g.settle()
	other.settle()
	if send, _ := budget.Used(); send != 0 {
		t.Fatalf("%d bytes of the budget are lost", send)
	}
}

func TestOutGateRefusesAfterItsEnd(t *testing.T) {
	g := newOutGate(nil)
	g.closeWrite()
	if _, err := g.write([]byte("x")); err != io.ErrClosedPipe {
		t.Fatalf("after CloseWrite: %v", err)
	}
	broken := errors.New("broken")
	g.fail(broken)
	if _, err := g.write([]byte("x")); err != broken {
		t.Fatalf("after an error: %v", err)
	}
}
