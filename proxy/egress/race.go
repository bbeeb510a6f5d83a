package egress

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// attemptDelay is when the next address is tried while the one before has not answered: the recommended Connection
// Attempt Delay of RFC 8305 §5.
const attemptDelay = 250 * time.Millisecond

// interleave orders addresses by turns of family, the family of the first one first (RFC 8305 §4); within a family
// the resolver's order (RFC 6724) stays.
func interleave(addrs []netip.Addr) []netip.Addr {
	var first, second []netip.Addr
	for _, a := range addrs {
		if a.Is4() == addrs[0].Is4() {
			first = append(first, a)
		} else {
			second = append(second, a)
		}
	}
	mixed := make([]netip.Addr, 0, len(addrs))
	for i := range max(len(first), len(second)) {
		if i < len(first) {
			mixed = append(mixed, first[i])
		}
		if i < len(second) {
			mixed = append(mixed, second[i])
		}
	}
	return mixed
}

// attempt is the end of one connect.
type attempt struct {
	conn net.Conn
	err  error
}

// race connects to the addresses one after the other, the next after attemptDelay or as soon as one has failed, and
// keeps the first connection (RFC 8305 §5). When all fail it returns the failure that says most.
func (d *Dialer) race(ctx context.Context, addrs []netip.Addr, port uint16) (net.Conn, error) {
	done := make(chan attempt, len(addrs))
	if len(addrs) == 1 {
		// On a goroutine of its own all the same: package net needs a stack that the caller, who relays for as long as
		// the stream lives, would keep.
		go d.try(ctx, netip.AddrPortFrom(addrs[0], port), done)
		a := <-done
		return a.conn, a.err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	timer := time.NewTimer(0) // the first attempt is due at once
	defer timer.Stop()

	var worst error
	for running := 0; running > 0 || len(addrs) > 0; {
		select {
		case <-timer.C:
			if len(addrs) > 0 {
				go d.try(ctx, netip.AddrPortFrom(addrs[0], port), done)
				addrs, running = addrs[1:], running+1
				timer.Reset(attemptDelay)
			}
		case a := <-done:
			running--
			if a.err == nil {
				go closeLate(done, running)
				return a.conn, nil
			}
			worst = tellingMost(worst, a.err)
			timer.Reset(0)
		case <-ctx.Done():
			go closeLate(done, running)
			return nil, tellingMost(worst, ctx.Err())
		}
	}
	return nil, worst
}

func (d *Dialer) try(ctx context.Context, a netip.AddrPort, done chan<- attempt) {
	conn, err := d.connect(ctx, a)
	done <- attempt{conn, err}
}

// closeLate closes the connections of attempts that lost the race; their context is cancelled, so they end soon.
func closeLate(done <-chan attempt, running int) {
	for range running {
		if a := <-done; a.conn != nil {
			_ = a.conn.Close() // nothing was sent on it
		}
	}
}

// tellingMost returns the one of two failures that says more about the target; a nil one says nothing.
func tellingMost(a, b error) error {
	if a == nil || rank(codeOf(b)) > rank(codeOf(a)) {
		return b
	}
	return a
}
