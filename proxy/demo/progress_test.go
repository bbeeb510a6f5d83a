package demo

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgressIsALineAStepAwayFromATerminal(t *testing.T) {
	var out bytes.Buffer
	p := &progress{out: &out}
	broken := errors.New("broken")
	if err := p.step("bond, up", func() error { return broken }); !errors.Is(err, broken) {
		t.Errorf("step gives %v", err)
	}
	if out.String() != "measuring bond, up\n" {
		t.Errorf("printed %q", &out)
	}
}

func TestProgressLivesInOneLineOfATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		carried := uint64(0)
		p := &progress{out: &out, live: true, rates: func() []linkRate {
			carried += 625_000 // in an eighth of a second
			return []linkRate{{"dsl", carried}}
		}}
		if err := p.step("bond, up", func() error { time.Sleep(310 * time.Millisecond); return nil }); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		if strings.Contains(text, "\n") || strings.Contains(text, "\x1b") || strings.Count(text, "dsl  40.0") != 2 {
			t.Errorf("printed %q", text)
		}
		if !strings.HasSuffix(text, "\r"+strings.Repeat(" ", lineWidth)+"\r") {
			t.Errorf("left behind %q", text)
		}
	})
}
