package netlab

import "hawser/test/netlab/profile"

// Uplinks gives the configurations of a profile's links, for Lab.Multihome or, one by one, Lab.Link. The caller may
// add names, addresses and seeds.
func Uplinks(p profile.Profile) []LinkConfig {
	cfgs := make([]LinkConfig, len(p.Links))
	for n, l := range p.Links {
		cfgs[n] = LinkConfig{
			ARate: l.Rate, BRate: l.Rate, Delay: l.Delay, Jitter: l.Jitter,
			Reorder: l.Reorder, Loss: l.Loss, QueueBytes: l.QueueBytes,
		}
	}
	return cfgs
}
