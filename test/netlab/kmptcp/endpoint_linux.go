package kmptcp

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"hawser/test/netlab"
)

// The generic netlink family of the kernel's path manager, its commands and attributes (linux/mptcp_pm.h).
const (
	pmFamily  = "mptcp_pm"
	pmVersion = 1

	pmAddAddr   = 1
	pmGetAddr   = 3
	pmSetLimits = 5
	pmGetLimits = 6

	pmAttrAddr     = 1 // of the message
	pmAttrAddAddrs = 2
	pmAttrSubflows = 3

	addrAttrFamily = 1 // of an endpoint
	addrAttrID     = 2
	addrAttrAddr4  = 3
	addrAttrAddr6  = 4
	addrAttrFlags  = 6
	addrAttrIndex  = 7
)

// Flags say what an endpoint is for (MPTCP_PM_ADDR_FLAG_*).
type Flags uint32

// The flags of an endpoint.
const (
	Signal   Flags = 1 << iota // announced to the peer
	Subflow                    // a subflow is opened from here to the peer's address of the first one
	Backup                     // its subflows are backups (RFC 8684 section 3.3.8)
	Fullmesh                   // a subflow is opened from here to each address of the peer
)

// MaxSubflows is the greatest limit that the kernel takes (MPTCP_PM_ADDR_MAX).
const MaxSubflows = 8

// An Endpoint is a local address that the kernel's path manager uses for subflows.
type Endpoint struct {
	Addr  netip.Addr
	ID    uint8 // RFC 8684 address id; 0: the kernel chooses
	Flags Flags
	Index int // of the interface that its subflows are bound to; 0: none
}

// Limits bound what a connection may have beside its first subflow, 0–MaxSubflows.
type Limits struct {
	Subflows int // further ones, opened and accepted
	AddAddrs int // announced addresses that are taken up
}

// pmRequest is a message to the path manager.
func pmRequest(family *netlink.GenlFamily, command uint8, flags int, attrs ...*nl.RtAttr) *nl.NetlinkRequest {
	req := nl.NewNetlinkRequest(int(family.ID), flags)
	req.AddData(&nl.Genlmsg{Command: command, Version: pmVersion})
	for _, a := range attrs {
		req.AddData(a)
	}
	return req
}

// ask sends a command to the path manager of a host and returns the attributes of each answer.
func ask(h *netlab.Host, command uint8, flags int, attrs ...*nl.RtAttr) (answers [][]byte, err error) {
	err = h.Do(func() error {
		family, err := netlink.GenlFamilyGet(pmFamily)
		if err != nil {
			return fmt.Errorf("the kernel has no MPTCP path manager (CONFIG_MPTCP): %w", err)
		}
		answers, err = pmRequest(family, command, flags, attrs...).Execute(unix.NETLINK_GENERIC, 0)
		return err
	})
	for i, a := range answers {
		if len(a) < nl.SizeofGenlmsg {
			return nil, fmt.Errorf("kmptcp: answer of %d bytes", len(a))
		}
		answers[i] = a[nl.SizeofGenlmsg:]
	}
	return answers, err
}

// AddEndpoint adds an endpoint to a host's path manager. Connections that are open take it up as new ones do.
func AddEndpoint(h *netlab.Host, e Endpoint) error {
	a := nl.NewRtAttr(pmAttrAddr|unix.NLA_F_NESTED, nil)
	family, kind := uint16(unix.AF_INET), addrAttrAddr4
	if e.Addr.Is6() {
		family, kind = unix.AF_INET6, addrAttrAddr6
	}
	a.AddRtAttr(addrAttrFamily, nl.Uint16Attr(family))
	a.AddRtAttr(kind, e.Addr.AsSlice())
	a.AddRtAttr(addrAttrFlags, nl.Uint32Attr(uint32(e.Flags)))
	if e.ID != 0 {
		a.AddRtAttr(addrAttrID, nl.Uint8Attr(e.ID))
	}
	if e.Index != 0 {
		a.AddRtAttr(addrAttrIndex, nl.Uint32Attr(uint32(e.Index)))
	}
	if _, err := ask(h, pmAddAddr, unix.NLM_F_ACK, a); err != nil {
		return fmt.Errorf("kmptcp: endpoint %v on %s: %w", e.Addr, h.Name(), err)
	}
	return nil
}

// Endpoints lists the endpoints of a host.
func Endpoints(h *netlab.Host) (list []Endpoint, err error) {
	answers, err := ask(h, pmGetAddr, unix.NLM_F_DUMP)
	if err != nil {
		return nil, fmt.Errorf("kmptcp: endpoints of %s: %w", h.Name(), err)
	}
	for _, b := range answers {
		e, err := parseEndpoint(b)
		if err != nil {
			return nil, fmt.Errorf("kmptcp: endpoints of %s: %w", h.Name(), err)
		}
		list = append(list, e)
	}
	return list, nil
}

// parseEndpoint reads the endpoint in an answer's attributes.
func parseEndpoint(b []byte) (e Endpoint, err error) {
	outer, err := nl.ParseRouteAttr(b)
	if err != nil {
		return e, err
	}
	if len(outer) != 1 || outer[0].Attr.Type&^unix.NLA_F_NESTED != pmAttrAddr {
		return e, errors.New("the answer holds no address")
	}
	inner, err := nl.ParseRouteAttr(outer[0].Value)
	if err != nil {
		return e, err
	}
	for _, a := range inner {
		switch v := a.Value; a.Attr.Type {
		case addrAttrAddr4, addrAttrAddr6:
			e.Addr, _ = netip.AddrFromSlice(v)
		case addrAttrID:
			e.ID = v[0]
		case addrAttrFlags:
			e.Flags = Flags(nl.NativeEndian().Uint32(v))
		case addrAttrIndex:
			e.Index = int(nl.NativeEndian().Uint32(v))
		}
	}
	return e, nil
}

// SetLimits sets the limits of a host's path manager, for connections that are opened or accepted from now on.
func SetLimits(h *netlab.Host, l Limits) error {
	_, err := ask(h, pmSetLimits, unix.NLM_F_ACK,
		nl.NewRtAttr(pmAttrAddAddrs, nl.Uint32Attr(uint32(l.AddAddrs))),
		nl.NewRtAttr(pmAttrSubflows, nl.Uint32Attr(uint32(l.Subflows))))
	if err != nil {
		return fmt.Errorf("kmptcp: limits of %s: %w", h.Name(), err)
	}
	return nil
}

// ReadLimits returns the limits of a host's path manager.
func ReadLimits(h *netlab.Host) (l Limits, err error) {
	answers, err := ask(h, pmGetLimits, 0)
	if err != nil {
		return l, fmt.Errorf("kmptcp: limits of %s: %w", h.Name(), err)
	}
	for _, b := range answers {
		attrs, err := nl.ParseRouteAttrAsMap(b)
		if err != nil {
			return l, fmt.Errorf("kmptcp: limits of %s: %w", h.Name(), err)
		}
		if a, ok := attrs[pmAttrAddAddrs]; ok {
			l.AddAddrs = int(nl.NativeEndian().Uint32(a.Value))
		}
		if a, ok := attrs[pmAttrSubflows]; ok {
			l.Subflows = int(nl.NativeEndian().Uint32(a.Value))
		}
	}
	return l, nil
}
