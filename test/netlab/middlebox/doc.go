// Package middlebox has stages for the links of netlab that do to TCP what boxes on real paths do. All work on TCP over
// IPv4 and IPv6 in Ethernet frames and leave the checksums of what they change right. What they do not understand
// passes: other protocols, fragments, segments whose checksum is wrong.
//
//	link.SetStages(netlab.AToB, &middlebox.Strip{On: middlebox.OnSYN})
//
//	box := middlebox.RewriteSequence(1)
//	link.SetStages(netlab.AToB, box.Ahead())
//	link.SetStages(netlab.BToA, box.Back())
//
// A stage serves one direction and is independent of others; a [Box] has two stages with one state and must see both
// directions of a connection. Neither may be used on two links at once.
//
//	stage or box          what it does                                    what it stands for
//	Strip                 removes MPTCP options, on chosen segments       firewalls, proxies, load balancers
//	DropUnknownOptions    removes all options but those of the 1990s      old firewalls, "TCP normalizers"
//	RewriteSequence       translates sequence numbers                     firewalls that randomise them (Cisco PIX, ASA)
//	RewritePayload        replaces a string, and adjusts what follows     application-level gateways (FTP, SIP, HTTP)
//	Split                 cuts segments, options copied                   segmentation offload
//	Coalesce              merges segments, the first one's options kept   receive offload, traffic normalisers
//	Duplicate             sends segments twice                            link layers that repeat, loops
//	Reorder               lets later segments overtake                    load balancing by packet
//	AckAhead              acknowledges and retransmits on its own         proxies on satellite and mobile links
//	IdleTimeout           forgets connections that are idle               NATs and stateful firewalls
//	Resetter              forges resets, to one end or both               censors, intrusion detection, traffic management
//
// Boxes that end TCP, translate addresses or filter by connection are the kernel's own, on a router: see netlab's
// Host.SplitTCP, Host.Masquerade and Host.Firewall.
//
// The decoding is this package's own, so that an error in the codecs under test cannot hide itself.
package middlebox
