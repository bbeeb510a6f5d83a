//go:build linux

package main

import (
	"context"

	"hawser/test/netlab"
)

// benchProxied measures one stream over links without any shaping, where the programs' cost decides, against the same
// through xray-core.
func benchProxied(ctx context.Context, b *bench) error {
	r, err := b.newBond(ctx, []netlab.LinkConfig{{}, {}})
	if err != nil {
		return err
	}
	defer r.close()
	peer, err := r.startPeer(ctx, 0)
	if err != nil {
		return err
	}
	defer peer.Close()
	for _, upload := range b.upload {
		line := &row{
			ID: "P12", Scenario: "unshaped links, plain carrier", Direction: direction(upload),
			Figure: "one stream ÷ the same through xray-core", Must: 1, Aim: 1.5,
			Reference: "shadowsocks-2022 of xray-core over kernel MPTCP", ReferenceUnit: "Gbit/s",
		}
		err := b.rounds(ctx, func(ctx context.Context) error {
			ours, err := r.measure(ctx, r.dial, upload, b.duration, nil)
			if err != nil {
				return err
			}
			theirs, err := r.measure(ctx, r.through(peer), upload, b.duration, nil)
			if err != nil {
				return err
			}
			line.Values = append(line.Values, ours.steady/theirs.steady)
			line.ReferenceValues = append(line.ReferenceValues, theirs.steady/1e9)
			return nil
		}, line)
		if err != nil {
			return err
		}
		b.add(line)
	}
	return nil
}
