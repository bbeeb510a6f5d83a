package packet

import (
	"testing"
	"time"
)

var start = time.Unix(1_700_000_000, 0)

func (l *ladder) want(t *testing.T, why string, now time.Time, m Mode) {
	t.Helper()
	if got := l.use(now); got != m {
		t.Errorf("%s: mode is %v (%s), want %v", why, got, l.reason, m)
	}
}

func TestAnInterfaceThatRefusesSuperSegmentsGetsFramesAndIsTriedAgain(t *testing.T) {
	var l ladder
	now := start
	l.want(t, "at first", now, ModeGSO)
	l.failed(now, ModeGSO, "invalid argument")
	l.want(t, "after a refusal", now, ModeFrames)
	if l.reason != "gso: invalid argument" {
		t.Errorf("reason is %q", l.reason)
	}
	l.want(t, "before the retry", now.Add(firstRetry-1), ModeFrames)
	for wait := firstRetry; wait < 3*lastRetry; wait *= 2 {
		now = now.Add(min(wait, lastRetry))
		l.want(t, "the retry", now, ModeGSO)
		l.failed(now, ModeGSO, "invalid argument")
		l.want(t, "after the retry", now, ModeFrames)
	}
	now = now.Add(lastRetry)
	l.want(t, "the last retry", now, ModeGSO)
	l.worked(now, ModeGSO)
	l.want(t, "after it worked", now, ModeGSO)
	if l.reason != "" || l.mode != ModeGSO {
		t.Errorf("mode %v, reason %q after success", l.mode, l.reason)
	}
}

func TestFramesThatAreRefusedLeadToRawIPAndBackStepByStep(t *testing.T) {
	var l ladder
	l.failed(start, ModeGSO, "a")
	l.failed(start, ModeFrames, "b")
	l.want(t, "after two refusals", start, ModeRawIP)
	now := start.Add(firstRetry)
	l.want(t, "the retry", now, ModeFrames)
	l.worked(now, ModeFrames)
	l.want(t, "one step up", now, ModeFrames)
	now = now.Add(firstRetry)
	l.want(t, "the next retry", now, ModeGSO)
}

func TestNewsOfAnotherModeIsOutOfDate(t *testing.T) {
	var l ladder
	l.failed(start, ModeGSO, "a")
	l.failed(start, ModeGSO, "the same batch, by another goroutine")
	l.want(t, "two refusals of one mode", start, ModeFrames)
	l.worked(start, ModeGSO)
	l.want(t, "a success that overlapped", start, ModeFrames)
	l.failed(start, ModeRawIP, "no route")
	l.want(t, "raw IP has nothing below it", start, ModeFrames)
}

func TestADegradedInterfaceStaysAtRawIP(t *testing.T) {
	var l ladder
	l.degrade("firewall")
	l.want(t, "a day later", start.Add(24*time.Hour), ModeRawIP)
	l.failed(start, ModeGSO, "a")
	if l.reason != "firewall" {
		t.Errorf("reason is %q", l.reason)
	}
	l.restore(ModeGSO, "")
	l.want(t, "restored", start, ModeGSO)
}
