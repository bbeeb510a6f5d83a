package netlab

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/vishvananda/netlink"
)

// Down takes the interface on a side down, as `ip link set … down` does.
func (k *Link) Down(s Side) {
	h := k.hosts[s]
	k.lab.do("down "+k.names[s], func() error { return h.setLink(k.names[s], h.nl.LinkSetDown) })
}

// Up brings the interface on a side up again, with the addresses and routes that it had.
func (k *Link) Up(s Side) {
	h := k.hosts[s]
	k.lab.do("up "+k.names[s], func() error {
		if err := h.setLink(k.names[s], h.nl.LinkSetUp); err != nil {
			return err
		}
		if err := k.settle(s); err != nil {
			return err
		}
		return h.edit(k.names[s], h.apply)
	})
}

// Unplug takes the carrier from the interface on a side, as a pulled cable does: it stays administratively up.
func (k *Link) Unplug(s Side) {
	fabric := k.lab.fabric
	k.control("unplug", func() error { return fabric.setLink(k.inner[s], fabric.nl.LinkSetDown) })
}

// Plug gives the carrier back.
func (k *Link) Plug(s Side) {
	fabric := k.lab.fabric
	k.control("plug", func() error {
		if err := fabric.setLink(k.inner[s], fabric.nl.LinkSetUp); err != nil {
			return err
		}
		return k.settle(s)
	})
}

// settle waits until a side's veth pair carries frames, unless one of its ends is down.
func (k *Link) settle(s Side) error {
	h, name := k.hosts[s], k.names[s]
	peer, peerName := k.hosts[s.other()], k.names[s.other()]
	if k.inner[s] != "" {
		peer, peerName = k.lab.fabric, k.inner[s]
	}
	if !isUp(h, name) || !isUp(peer, peerName) {
		return nil
	}
	return errors.Join(h.awaitCarrier(name), peer.awaitCarrier(peerName))
}

// isUp reports whether an interface is administratively up.
func isUp(h *Host, name string) bool {
	dev, err := h.nl.LinkByName(name)
	return err == nil && dev.Attrs().Flags&net.FlagUp != 0
}

const (
	carrierWait = 10 * time.Second
	carrierPoll = 500 * time.Microsecond
)

// awaitCarrier waits until an interface with a carrier sends frames. The kernel drops them silently for a moment after
// the carrier has come, and has no call that waits for the end of it.
func (h *Host) awaitCarrier(name string) error {
	for start := time.Now(); ; time.Sleep(carrierPoll) {
		var state netlink.LinkOperState
		err := h.setLink(name, func(dev netlink.Link) error {
			state = dev.Attrs().OperState
			return nil
		})
		if err != nil || state == netlink.OperUp {
			return err
		}
		if time.Since(start) > carrierWait {
			return fmt.Errorf("interface %s of %s is %v after %v", name, h.name, state, carrierWait)
		}
	}
}
