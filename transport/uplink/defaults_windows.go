package uplink

import (
	"net"
	"unsafe"

	"golang.org/x/sys/windows"
)

// ifTypePropVirtual is the interface type of drivers such as WireGuard's (IF_TYPE_PROP_VIRTUAL of ipifcons.h).
const ifTypePropVirtual = 53

// defaults reads the routing table.
func defaults() ([]defaultRoute, error) {
	var table *windows.MibIpForwardTable2
	if err := windows.GetIpForwardTable2(windows.AF_UNSPEC, &table); err != nil {
		return nil, err
	}
	defer windows.FreeMibTable(unsafe.Pointer(table))
	var out []defaultRoute
	for _, r := range table.Rows() {
		if r.DestinationPrefix.PrefixLength == 0 && r.Loopback == 0 {
			v6 := r.DestinationPrefix.Prefix.Family == windows.AF_INET6
			out = append(out, defaultRoute{index: int(r.InterfaceIndex), v6: v6})
		}
	}
	return out, nil
}

func kindOf(i net.Interface) kind {
	row := windows.MibIfRow2{InterfaceIndex: uint32(i.Index)}
	if err := windows.GetIfEntry2Ex(windows.MibIfEntryNormalWithoutStatistics, &row); err != nil {
		return kindOrdinary
	}
	if row.Type == windows.IF_TYPE_TUNNEL || row.Type == ifTypePropVirtual {
		return kindTunnel
	}
	return kindOrdinary
}
