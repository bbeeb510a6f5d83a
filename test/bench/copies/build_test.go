package copies

import (
	"errors"
	"testing"
)

// One instruction is put in, where memmove begins; a runtime that looks otherwise is an error and not a count of zero.
func TestInstrumentPutsTheCounterAtTheEntry(t *testing.T) {
	got, err := instrument("before\n" + entry + "\tMOVQ\tAX, DI\n")
	if want := "before\n" + entry + count + "\tMOVQ\tAX, DI\n"; err != nil || got != want {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	for _, source := range []string{"", "TEXT runtime·memmove(SB), NOSPLIT, $0-24\n", entry + entry} {
		if got, err := instrument(source); !errors.Is(err, ErrUnknownRuntime) {
			t.Errorf("%q: %q, %v; want ErrUnknownRuntime", source, got, err)
		}
	}
}
