//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"hawser/test/netlab"
	"hawser/test/netlab/profile"
)

// buffers are the limits of the kernel's automatic socket buffers: least, default and greatest size in bytes.
var buffers = []string{"net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"}

// asReference gives the kernels of both ends the best buffers for the links while f runs: of at least 4 × rate × round
// trip, all links together and queues included. The programs have to do with the kernel's own.
func (b *bond) asReference(f func() error) error {
	var needed int
	for _, l := range b.profile.Links {
		needed = max(needed, int(4*float64(b.profile.Rate())/8*(l.RTT()+l.QueueTime()).Seconds()))
	}
	var restore []func()
	for _, h := range []*netlab.Host{b.Home.Client, b.Home.Server} {
		for _, name := range buffers {
			before, err := h.GetSysctl(name)
			if err != nil {
				return err
			}
			var least, standard, most int
			if _, err := fmt.Sscan(before, &least, &standard, &most); err != nil {
				return fmt.Errorf("%s is %q: %w", name, before, err)
			}
			h.Sysctl(name, fmt.Sprint(least, standard, max(most, needed)))
			restore = append(restore, func() { h.Sysctl(name, before) })
		}
	}
	err := errors.Join(b.Lab.Err(), f())
	for _, r := range restore {
		r()
	}
	return errors.Join(err, b.Lab.Err())
}

// settle waits until the links have forgotten the transfer before: their queues are empty, and what was sent for it has
// arrived.
func (b *bond) settle(ctx context.Context) { settle(ctx, b.Home.Uplinks, b.profile.Links) }

// settle waits until next to nothing passes links of the given shapes; those beyond the shapes are not looked at.
func settle(ctx context.Context, links []*netlab.Link, shapes []profile.Link) {
	const quiet, patience = 100 * time.Millisecond, 5 * time.Second
	for begin := time.Now(); time.Since(begin) < patience && ctx.Err() == nil; pause(ctx, quiet/10) {
		now := time.Now()
		busy := false
		for i, l := range links {
			if i < len(shapes) && shapes[i].Rate > 0 {
				few := shapes[i].Rate / 8 / 100 // a hundredth of the rate
				busy = busy || l.BytesBetween(netlab.Both, now.Add(-quiet), now) > int64(float64(few)*quiet.Seconds())
			}
		}
		if !busy {
			return
		}
	}
}

// congestionAllowed is the machine's list of the congestion controls that anybody may choose, and the only ones that a
// namespace may have as its default.
const congestionAllowed = "/proc/sys/net/ipv4/tcp_allowed_congestion_control"

// allowCongestion puts a congestion control on the machine's list until restore is called.
func allowCongestion(name string) (restore func(), err error) {
	before, err := os.ReadFile(congestionAllowed)
	if err != nil {
		return nil, err
	}
	list := strings.Fields(string(before))
	if slices.Contains(list, name) {
		return func() {}, nil
	}
	list = append(list, name)
	if err := os.WriteFile(congestionAllowed, []byte(strings.Join(list, " ")), 0o644); err != nil {
		return nil, fmt.Errorf("congestion control %s: %w: load its module, or choose another one", name, err)
	}
	return func() { _ = os.WriteFile(congestionAllowed, before, 0o644) }, nil
}
