package packet

import "sync/atomic"

// sentCounters are Counters that several goroutines count.
type sentCounters struct {
	gso, frames, rawIP, control, bytes               atomic.Uint64
	congested, gsoRefused, framesRefused, sendErrors atomic.Uint64
}

func (c *sentCounters) snapshot() Counters {
	return Counters{
		SentGSO: c.gso.Load(), SentFrames: c.frames.Load(), SentRawIP: c.rawIP.Load(), SentControl: c.control.Load(),
		SentBytes: c.bytes.Load(), Congested: c.congested.Load(), GSORefused: c.gsoRefused.Load(),
		FramesRefused: c.framesRefused.Load(), SendErrors: c.sendErrors.Load(),
	}
}

// receivedCounters are ReceiveCounters that the reader counts and anybody reads.
type receivedCounters struct {
	packets, bytes, merged, unverified, badSum, malformed, notOurs, overruns, reports, failures atomic.Uint64
}

func (c *receivedCounters) snapshot() ReceiveCounters {
	return ReceiveCounters{
		Packets: c.packets.Load(), Bytes: c.bytes.Load(), Merged: c.merged.Load(), Unverified: c.unverified.Load(),
		BadSum: c.badSum.Load(), Malformed: c.malformed.Load(), NotOurs: c.notOurs.Load(), Overruns: c.overruns.Load(),
		Reports: c.reports.Load(), Failures: c.failures.Load(),
	}
}
