package uplink

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// events says what rtnetlink has announced.
type events uint8

const (
	eventLinks  events = 1 << iota // a link or an address
	eventRoutes                    // a default route or a rule
	eventOther                     // some other route
	eventFailed                    // the socket: nothing more will come
	eventAll    = eventLinks | eventRoutes | eventOther
)

// groups are the rtnetlink multicast groups of what plan looks at. Reading them needs no privilege.
var groups = []uint{
	unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR,
	unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE, unix.RTNLGRP_IPV4_RULE, unix.RTNLGRP_IPV6_RULE,
}

const (
	// subscriptionBuffer holds some thousand announcements; an overrun costs one more dump and nothing else.
	subscriptionBuffer = 1 << 20
	// routePause collects announcements of routes: a router with a full table sees hundreds a second.
	routePause = 100 * time.Millisecond
)

// monitor reports the network as it is, then after every change, until ctx ends or the socket fails. Link and address
// changes are reported within milliseconds, because failover waits for them.
func monitor(ctx context.Context, o observer) error {
	sub, err := nl.Subscribe(unix.NETLINK_ROUTE, groups...)
	if err != nil {
		return fmt.Errorf("subscribe to rtnetlink: %w", err)
	}
	// The kernel doubles or caps the size as it likes; the default size works too.
	_ = sub.SetReceiveBufferSize(subscriptionBuffer, false)
	inbox := &inbox{ready: make(chan struct{}, 1)}
	var reader sync.WaitGroup
	reader.Go(func() { inbox.read(sub) })
	defer reader.Wait()
	defer sub.Close()

	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("open rtnetlink: %w", err)
	}
	defer h.Close()
	rh, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("open rtnetlink: %w", err)
	}
	r := &router{h: rh}
	defer r.close()
	o.check(r.check)
	return (&dumper{h: h, o: o}).follow(ctx, inbox)
}

// follow dumps once, then after announcements. Announcements of routes alone wait until routePause has passed since
// the last ones; whatever concerns links and addresses does not wait.
func (d *dumper) follow(ctx context.Context, in *inbox) error {
	due := eventAll
	pause := time.NewTimer(routePause)
	defer pause.Stop()
	resting := false
	for {
		if due&eventLinks != 0 || due != 0 && !resting {
			if err := d.dump(due); err != nil {
				return err
			}
			due, resting = 0, true
			pause.Reset(routePause)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-pause.C:
			resting = false
		case <-in.ready:
			due |= in.take()
		}
		if due&eventFailed != 0 {
			return fmt.Errorf("read rtnetlink: %w", in.err)
		}
	}
}

// inbox merges announcements until the dumper takes them.
type inbox struct {
	ready chan struct{}
	mu    sync.Mutex // guards what follows
	due   events
	err   error // with eventFailed
}

// read turns messages into events until the socket is closed or fails.
func (b *inbox) read(sub *nl.NetlinkSocket) {
	for {
		msgs, _, err := sub.Receive()
		switch {
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
		case errors.Is(err, unix.ENOBUFS): // overrun: messages are lost
			b.put(eventAll, nil)
		case err != nil:
			b.put(eventFailed, err)
			return
		}
		var due events
		for _, m := range msgs {
			due |= announced(m)
		}
		if due != 0 {
			b.put(due, nil)
		}
	}
}

func (b *inbox) put(due events, err error) {
	b.mu.Lock()
	b.due |= due
	if err != nil {
		b.err = err
	}
	b.mu.Unlock()
	select {
	case b.ready <- struct{}{}:
	default:
	}
}

func (b *inbox) take() events {
	b.mu.Lock()
	defer b.mu.Unlock()
	due := b.due
	b.due = 0
	return due
}

// announced says what a message is about. IPv4 routes that go with a link or an address are not announced, so those
// count as changes of routes too.
func announced(m syscall.NetlinkMessage) events {
	switch m.Header.Type {
	case unix.RTM_NEWLINK, unix.RTM_DELLINK, unix.RTM_NEWADDR, unix.RTM_DELADDR:
		return eventLinks | eventRoutes
	case unix.RTM_NEWRULE, unix.RTM_DELRULE:
		return eventRoutes
	case unix.RTM_NEWROUTE, unix.RTM_DELROUTE:
		if len(m.Data) < unix.SizeofRtMsg {
			return eventAll
		}
		switch msg := nl.DeserializeRtMsg(m.Data); {
		case msg.Flags&unix.RTM_F_CLONED != 0: // a cached path MTU or redirect
			return 0
		case msg.Dst_len != 0:
			return eventOther
		}
		return eventRoutes
	}
	return 0
}
