package packet

import (
	"fmt"
	"time"
)

// Mode is how an interface sends data. Control packets go by raw IP in every mode.
type Mode uint8

// The modes, best first.
const (
	ModeGSO    Mode = iota // super-segments by packet socket
	ModeFrames             // frames of the MTU by packet socket: the interface or its driver refuses super-segments
	ModeRawIP              // IP packets through the kernel's output: routes, neighbours and the local firewall apply
)

// String is the mode in the words of the status API.
func (m Mode) String() string {
	switch m {
	case ModeGSO:
		return "gso"
	case ModeFrames:
		return "frames"
	case ModeRawIP:
		return "rawip"
	}
	return fmt.Sprintf("mode %d", uint8(m))
}

// How long a better mode is left alone after it has failed: the time doubles with each failure. A kernel update or
// another driver setting is not worth many tries, a single odd error should not cost the speed for long.
const (
	firstRetry = time.Minute
	lastRetry  = time.Hour
)

// ladder is one interface's mode and how it came to it. Its owner locks.
type ladder struct {
	mode    Mode
	reason  string // why it is not ModeGSO
	best    Mode   // that there is any sense in trying
	trial   bool   // the next better mode is being tried
	wait    time.Duration
	retryAt time.Time
}

// use is the mode for what is sent now: now and then the next better one, for a trial.
func (l *ladder) use(now time.Time) Mode {
	switch {
	case l.trial:
		return l.mode - 1
	case l.mode == l.best, now.Before(l.retryAt):
		return l.mode
	}
	l.trial = true
	return l.mode - 1
}

// failed takes note that a mode does not work here. What it says about a mode that is not in use is out of date.
func (l *ladder) failed(now time.Time, m Mode, reason string) {
	switch {
	case m == ModeRawIP:
		return
	case m < l.mode && !l.trial:
		return
	case m >= l.mode:
		l.mode, l.wait = m+1, 0
	}
	l.trial = false
	l.wait = min(max(firstRetry, 2*l.wait), lastRetry)
	l.reason, l.retryAt = fmt.Sprintf("%s: %s", m, reason), now.Add(l.wait)
}

// worked takes note that a mode works.
func (l *ladder) worked(now time.Time, m Mode) {
	if !l.trial || m != l.mode-1 {
		return
	}
	l.mode, l.trial, l.wait = m, false, 0
	if m == ModeGSO {
		l.reason = ""
	}
	l.retryAt = now.Add(firstRetry)
}

// degrade moves everything to raw IP until restore.
func (l *ladder) degrade(reason string) {
	*l = ladder{mode: ModeRawIP, best: ModeRawIP, reason: reason}
}

// restore begins again with the best mode there is; the reason is why that is not ModeGSO.
func (l *ladder) restore(best Mode, reason string) {
	*l = ladder{mode: best, best: best, reason: reason}
}
