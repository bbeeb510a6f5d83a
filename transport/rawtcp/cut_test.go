package rawtcp

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"hawser/transport/packet"
	"hawser/transport/packettest"
	"hawser/transport/wire"
)

// A RST that this host sends, and we have not ordered, has the interface send by raw IP in both roles. It ends the
// connection where the peer takes it, and there alone.
func TestAResetThatThisHostSends(t *testing.T) {
	for _, one := range []struct {
		name string
		talk func(c, peer *Conn) error // before it
		off  uint32                    // from the number of the next byte
		ends bool
	}{
		{"where the peer expects the next byte", func(_, _ *Conn) error { return nil }, 0, true},
		{"after an exchange", func(c, _ *Conn) error { return write(c, "all of it arrives") }, 0, true},
		{"of before what has been sent", func(c, _ *Conn) error { return write(c, "all of it arrives") }, 5, false},
		{"after our end", func(c, _ *Conn) error { return c.CloseWrite() }, 0, true},
		{"after the peer's end", func(_, peer *Conn) error { return peer.CloseWrite() }, 0, true},
		{"after both ends", func(c, peer *Conn) error { return errors.Join(c.CloseWrite(), peer.CloseWrite()) }, 0, false},
	} {
		for _, serve := range []bool{false, true} {
			name := one.name + map[bool]string{false: "/client", true: "/server"}[serve]
			t.Run(name, func(t *testing.T) {
				inBubble(t, 1, packettest.LinkConfig{Delay: 10 * time.Millisecond}, func(r *rig) {
					c, peer := r.connect()
					path := r.modes
					if serve {
						c, peer, path = peer, c, r.smodes
					}
					if err := one.talk(c, peer); err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Second)
					synctest.Wait()
					path.Inject(resetReport(c, path.next.Load()-one.off))
					synctest.Wait()
					if path.reason == "" {
						t.Error("the interface goes on with packet sockets")
					}
					if got := errors.Is(c.Err(), ErrCut); got != one.ends {
						t.Errorf("the connection ends with %v; want ErrCut: %v", c.Err(), one.ends)
					}
				})
			})
		}
	}
}

// One of no connection, such as the kernel's or another program's, proves nothing.
func TestAResetOfNoConnectionProvesNothing(t *testing.T) {
	inBubble(t, 1, packettest.LinkConfig{Delay: 10 * time.Millisecond}, func(r *rig) {
		_, c := r.connect()
		synctest.Wait()
		p := resetReport(c, r.smodes.next.Load())
		p.Report.RemotePort++
		r.smodes.Inject(p)
		synctest.Wait()
		if r.smodes.reason != "" || c.Err() != nil {
			t.Errorf("degraded: %q; the connection: %v", r.smodes.reason, c.Err())
		}
	})
}

func write(c *Conn, s string) error {
	_, err := c.Write([]byte(s))
	return err
}

// resetReport is what the packet path says of a RST that its host has sent to a connection's peer.
func resetReport(c *Conn, seq uint32) packet.Packet {
	return resetOf(c.tuple.local, c.tuple.remote, seq)
}

// WriteBatch notes the number of the byte that comes after what is sent.
func (p *pathWithModes) WriteBatch(ps []packet.Packet) (int, error) {
	for i := range ps {
		var s wire.Segment
		if s.ConsumeHeader(ps[i].Local, ps[i].Remote, ps[i].Header) > 0 {
			p.next.Store(uint32(s.Seq.Add(ps[i].Len() + s.SpaceLen())))
		}
	}
	return p.Conn.WriteBatch(ps)
}
