package rawtcp

import (
	"testing"

	"hawser/transport/packet"
)

func TestInboxIsBoundedInPacketsAndInBytes(t *testing.T) {
	const large = 60_000
	for _, payload := range []int{-1, 0, large} { // -1: a report, which has no buffer
		var b inbox
		one := func() *arrival {
			var p packet.Packet
			if payload >= 0 {
				p.Header, p.Payload = make([]byte, 20), make([]byte, payload)
				p.Own()
			}
			return newArrival(&p)
		}
		n := 0
		for ; b.drops() == 0; n++ {
			b.put([]*arrival{one()})
		}
		n-- // the last was dropped
		a := one()
		want := min(maxInbox, maxInboxBytes/a.cost())
		if n != want || n != len(b.queue) {
			t.Errorf("%d packets of %d bytes fit, %d are held; want %d", n, a.cost(), len(b.queue), want)
		}
		a.Release()
		for _, a := range b.take(nil) {
			a.Release()
		}
		if b.put([]*arrival{one()}); len(b.queue) != 1 {
			t.Error("an inbox that was emptied takes nothing")
		}
		b.close()
	}
}
