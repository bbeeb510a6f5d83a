package configs

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// follow runs WatchServer in a bubble; the lists of names that were applied and the errors come in order.
func follow(t *testing.T, p Place, file string, steps func(seen *[]string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var seen []string
		done := make(chan struct{})
		go func() {
			defer close(done)
			WatchServer(ctx, p, Options{}, file,
				func(s *Server) {
					names := ""
					for _, c := range s.Clients {
						names += c.Name + " "
					}
					seen = append(seen, names)
				},
				func(err error) { seen = append(seen, "error: "+err.Error()) })
		}()
		steps(&seen)
		stop()
		<-done
	})
}

// within lets one second pass and wants exactly the entries given since the last call.
func within(t *testing.T, seen *[]string, want ...string) {
	t.Helper()
	time.Sleep(time.Second - time.Nanosecond)
	synctest.Wait()
	if len(*seen) != len(want) {
		t.Fatalf("seen %q, want %q", *seen, want)
	}
	for i := range want {
		if (*seen)[i] != want[i] {
			t.Fatalf("seen %q, want %q", *seen, want)
		}
	}
	*seen = nil
}

func TestRunningServerFollowsItsFileWithinASecond(t *testing.T) {
	p, file := newServer(t)
	follow(t, p, file, func(seen *[]string) {
		within(t, seen, "")
		t.Log("# invite")
		if _, err := AddClient(p, Options{}, "home"); err != nil {
			t.Fatal(err)
		}
		within(t, seen, "home ")
		t.Log("# nothing")
		within(t, seen)
		t.Log("# a second invite and a revocation at once")
		if _, err := AddClient(p, Options{}, "away"); err != nil {
			t.Fatal(err)
		}
		if err := RevokeClient(p, Options{}, "home"); err != nil {
			t.Fatal(err)
		}
		within(t, seen, "away ")
	})
}

func TestBrokenFileKeepsWhatWasAndIsReportedOnce(t *testing.T) {
	p, file := newServer(t)
	if _, err := AddClient(p, Options{}, "home"); err != nil {
		t.Fatal(err)
	}
	good := read(t, file)
	follow(t, p, file, func(seen *[]string) {
		within(t, seen, "home ")
		t.Log("# emptied, as by an editor that saves in place")
		write(t, file, "")
		within(t, seen, "error: "+file+": is empty")
		t.Log("# cut off")
		write(t, file, "clients: [")
		within(t, seen, "error: "+file+":1: not valid YAML: did not find expected node content")
		t.Log("# gone")
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		within(t, seen)
		t.Log("# back")
		write(t, file, good)
		within(t, seen, "home ")
	})
}

func TestFileThatIsStillWrittenIsNotRead(t *testing.T) {
	p, file := newServer(t)
	follow(t, p, file, func(seen *[]string) {
		within(t, seen, "")
		f, err := os.OpenFile(file, os.O_WRONLY|os.O_TRUNC, 0)
		if err != nil {
			t.Fatal(err)
		}
		for range 6 { // longer than it takes to read a file that rests
			if _, err := f.WriteString("# still writing\n"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(watchEvery)
		}
		if len(*seen) != 0 {
			t.Errorf("seen %q while the file was written", *seen)
		}
		_, err = f.WriteString("log: {level: info}\n")
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		within(t, seen, "")
	})
}

func TestWatchOfAMissingFileWaitsForIt(t *testing.T) {
	p := newPlace(t)
	file := filepath.Join(p.Dir, "server.yaml")
	follow(t, p, file, func(seen *[]string) {
		within(t, seen)
		write(t, file, "{}")
		within(t, seen, "")
	})
}
