// Package profile names the links that tests and benchmarks are run on, as plain values: any link model can be built
// from them, the emulated links of netlab (netlab.Uplinks) as well as a simulation in virtual time on any system.
//
// What holds for all of them: a link is the same in both directions; Delay is one way; Loss is a share of the frames of
// each direction; the queue holds 1.5 × rate × base round-trip time, at least 30 full frames, unless a profile says
// otherwise.
package profile
