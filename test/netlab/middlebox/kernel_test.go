//go:build linux

package middlebox_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hawser/test/netlab"
	"hawser/test/netlab/middlebox"
)

// acting is what stages tell of themselves.
type acting interface{ Acted() int64 }

// pair makes a box of one stage for each direction.
func pair[S interface {
	netlab.Stage
	acting
}](f func() S) (middlebox.Box, []acting) {
	a, b := f(), f()
	return same{a, b}, []acting{a, b}
}

// crossings are the boxes through which a byte stream must come whole.
func crossings() map[string]func() (middlebox.Box, []acting) {
	sequence := func() (middlebox.Box, []acting) {
		b := middlebox.RewriteSequence(1)
		return b, []acting{b}
	}
	return map[string]func() (middlebox.Box, []acting){
		"sequence": sequence,
		"split": func() (middlebox.Box, []acting) {
			return pair(func() *middlebox.Split { return &middlebox.Split{Size: 500} })
		},
		"duplicate": func() (middlebox.Box, []acting) {
			return pair(func() *middlebox.Duplicate { return &middlebox.Duplicate{Every: 3} })
		},
		"reorder": func() (middlebox.Box, []acting) {
			return pair(func() *middlebox.Reorder { return &middlebox.Reorder{Every: 7, Behind: 2} })
		},
		"unknown options": func() (middlebox.Box, []acting) {
			b, tells := pair(func() *middlebox.DropUnknownOptions { return &middlebox.DropUnknownOptions{} })
			return b, tells[:1] // without MP_CAPABLE on the SYN there is nothing to drop on the way back
		},
		"coalesce": func() (middlebox.Box, []acting) {
			split := same{&middlebox.Split{Size: 300}, &middlebox.Split{Size: 300}}
			merge, tells := pair(func() *middlebox.Coalesce { return &middlebox.Coalesce{Size: 1200} })
			return same{
				both{split.Ahead(), merge.Ahead()}, both{split.Back(), merge.Back()},
			}, tells
		},
		"acknowledge ahead": func() (middlebox.Box, []acting) {
			b := &middlebox.AckAhead{}
			return b, []acting{b}
		},
	}
}

// both is stages as one.
type both []netlab.Stage

func (s both) Handle(now time.Time, frame []byte, out netlab.Output) {
	s[0].Handle(now, frame, onward{s[1], now, out})
}

func (s both) Deadline() time.Time                   { return s[1].(netlab.TimedStage).Deadline() }
func (s both) Wake(now time.Time, out netlab.Output) { s[1].(netlab.TimedStage).Wake(now, out) }

type onward struct {
	next netlab.Stage
	now  time.Time
	out  netlab.Output
}

func (o onward) Forward(f []byte) { o.next.Handle(o.now, f, o.out) }
func (o onward) Return(f []byte)  { o.out.Return(f) }

// TestKernelStreamsCrossMiddleboxes sends streams of kernel TCP and kernel MPTCP both ways through each box.
func TestKernelStreamsCrossMiddleboxes(t *testing.T) {
	netlab.NeedRoot(t)
	whole := text(400_000)
	for name, box := range crossings() {
		for _, mptcp := range []bool{false, true} {
			for _, v6 := range []bool{false, true} {
				if name == "unknown options" && !mptcp {
					continue // nothing to drop
				}
				if name == "coalesce" && mptcp {
					continue // without some of its mappings, what arrives is the kernel's affair
				}
				t.Run(fmt.Sprintf("%s mptcp=%v v6=%v", name, mptcp, v6), func(t *testing.T) {
					if mptcp {
						needMPTCP(t)
					}
					r := newRig(t, v6)
					if name == "acknowledge ahead" {
						r.far.SetLoss(netlab.BToA, 0.02) // for the box to repair
					}
					b, tells := box()
					r.install(b)
					client, server := r.connect(mptcp)
					r.exchange(client, server, whole)
					for n, a := range tells {
						if a.Acted() == 0 {
							t.Errorf("stage %d did nothing", n)
						}
					}
				})
			}
		}
	}
}

func TestKernelTCPReadsWhatTheBoxWrote(t *testing.T) {
	for _, word := range []string{"dog", "elephant", "", "x"} {
		t.Run(word, func(t *testing.T) {
			r := newRig(t, word == "elephant")
			r.install(middlebox.RewritePayload("the cat ", "the "+word))
			client, server := r.connect(false)
			sent := text(200_000)
			go func() {
				_, _ = client.Write(sent)
				_ = client.CloseWrite()
			}()
			got, err := io.ReadAll(server)
			must(t, err)
			t.Log("# a word that two segments share stays; none may be lost or mangled")
			back := bytes.ReplaceAll(got, []byte("the "+word+"is"), []byte("the cat is"))
			if kept := bytes.Count(got, []byte("cat")); !bytes.Equal(back, sent) || kept > bytes.Count(sent, []byte("cat"))/20 {
				t.Errorf("%d bytes became %d with %d words left", len(sent), len(got), kept)
			}
			if _, err := server.Write([]byte("back")); err != nil {
				t.Error(err)
			}
			if b, err := io.ReadAll(io.LimitReader(client, 4)); err != nil || string(b) != "back" {
				t.Errorf("the client got %q: %v", b, err)
			}
		})
	}
}

func TestAckAheadAnswersForWhatItHasAcknowledged(t *testing.T) {
	r := newRig(t, false)
	r.install(&middlebox.AckAhead{})
	client, server := r.connect(false)
	must(t, r.ping(client, server))
	t.Log("# nothing reaches the server any more, yet the client's kernel learns that all has been acknowledged")
	r.far.BlackHole(netlab.BToA, true)
	sent := text(8000)
	_, err := client.Write(sent)
	must(t, err)
	await(t, "the client has nothing unacknowledged", func() bool { return unacknowledged(t, client) == 0 })
	if n := r.far.Counters(netlab.BToA).Drops.BlackHole; n == 0 {
		t.Error("no segment was lost behind the box")
	}
	t.Log("# even if the client is gone, the box delivers")
	r.near.BlackHole(netlab.Both, true)
	r.far.BlackHole(netlab.BToA, false)
	r.near.BlackHole(netlab.AToB, false) // the box sits on the near link; what it sends must get out
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(server, got); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("the server did not get what the client had acknowledged: %v", err)
	}
}

func TestWithoutAckAheadNothingIsAcknowledgedInTheDark(t *testing.T) {
	r := newRig(t, false)
	client, server := r.connect(false)
	must(t, r.ping(client, server))
	r.far.BlackHole(netlab.BToA, true)
	_, err := client.Write(text(8000))
	must(t, err)
	await(t, "a segment is lost", func() bool { return r.far.Counters(netlab.BToA).Drops.BlackHole > 0 })
	if unacknowledged(t, client) == 0 {
		t.Error("somebody has acknowledged")
	}
}

// unacknowledged is what a socket's peer has not acknowledged, bytes (SIOCOUTQ).
func unacknowledged(t *testing.T, c *net.TCPConn) (n int) {
	t.Helper()
	raw, err := c.SyscallConn()
	must(t, err)
	var asked error
	must(t, raw.Control(func(fd uintptr) { n, asked = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) }))
	must(t, asked)
	return n
}

func TestIdleTimeoutEndsKernelConnections(t *testing.T) {
	r := newRig(t, true)
	box := &middlebox.IdleTimeout{After: time.Hour, Refuse: true}
	r.install(box)
	client, server := r.connect(false)
	must(t, r.ping(client, server))
	r.near.Sync(box.Forget)
	_, err := client.Write([]byte("anybody there?"))
	must(t, err)
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client read %v, want a reset", err)
	}
	if box.Acted() == 0 {
		t.Error("the box stopped nothing")
	}
}

func TestResetterIsBelievedByTheKernel(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		r := newRig(t, v6)
		box := &middlebox.Resetter{To: middlebox.BothEnds}
		r.install(box)
		client, server := r.connect(false)
		must(t, r.ping(client, server))
		r.near.Sync(box.Fire)
		for name, c := range map[string]*net.TCPConn{"client": client, "server": server} {
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("the %s read %v, want a reset", name, err)
			}
		}
	}
}

func TestResetterIsQuestionedWithAnInexactNumber(t *testing.T) {
	r := newRig(t, false)
	box := &middlebox.Resetter{To: middlebox.Receiver, Offset: 100}
	r.install(box)
	client, server := r.connect(false)
	must(t, r.ping(client, server))
	r.near.Sync(box.Fire)
	await(t, "the server questions the reset (RFC 5961 §3.2)", func() bool {
		return counter(t, r.server, "TcpExt TCPChallengeACK") > 0
	})
	if err := r.ping(client, server); err != nil {
		t.Errorf("the connection did not outlive an inexact reset: %v", err)
	}
}
