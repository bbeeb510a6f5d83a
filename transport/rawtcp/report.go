package rawtcp

import (
	"net/netip"

	"hawser/transport/packet"
	"hawser/transport/wire"
)

// The codes of "unreachable" that mean that nothing wants the segment: protocol or port (RFC 1122 §4.2.3.9).
const (
	codeProtocol = 2
	codePort     = 3
	codePortV6   = 4 // RFC 4443 §3.1
)

// icmpError is a report as the machine takes it.
func icmpError(p *packet.Packet) wire.ICMPError {
	r := p.Report
	e := wire.ICMPError{
		Kind: wire.ICMPSoft, Seq: wire.Seq(r.Seq), MTU: r.MTU,
		Src: netip.AddrPortFrom(p.Local, r.LocalPort), Dst: netip.AddrPortFrom(p.Remote, r.RemotePort),
	}
	switch {
	case r.Kind == packet.ReportTooBig:
		e.Kind = wire.ICMPTooBig
	case r.Kind == packet.ReportProhibited:
		e.Kind = wire.ICMPProhibited
	case p.Local.Is4() && (r.Code == codeProtocol || r.Code == codePort), p.Local.Is6() && r.Code == codePortV6:
		e.Kind = wire.ICMPHard
	}
	return e
}
