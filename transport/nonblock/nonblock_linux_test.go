package nonblock

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pair is two ends of a connection of the system's.
func pair(t *testing.T) (a, b *net.TCPConn) {
	t.Helper()
	l, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if b, err = l.AcceptTCP(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return c.(*net.TCPConn), b
}

// on runs f with a connection's descriptor.
func on(t *testing.T, c *net.TCPConn, f func(fd uintptr)) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err == nil {
		err = raw.Control(f)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// pattern is n bytes that differ from their neighbours.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i + i>>8)
	}
	return b
}

// Small or not, in one piece or in many: what is written arrives, and once.
func TestWhatIsWrittenArrives(t *testing.T) {
	for name, pieces := range map[string][]int{
		"nothing":                  {},
		"one":                      {17},
		"small":                    {9, 0, 1200, 2887},
		"just not small":           {Small, 1},
		"too many pieces":          {1, 2, 3, 4, 5, 6, 7, 8, 9},
		"as many as small has":     {1, 2, 3, 4, 5, 6, 7, 8},
		"large":                    {5, 40_000, 16_000},
		"nothing in several parts": {0, 0},
	} {
		a, b := pair(t)
		var bufs [][]byte
		var all []byte
		for _, n := range pieces {
			bufs = append(bufs, pattern(n))
			all = append(all, pattern(n)...)
		}
		on(t, a, func(fd uintptr) {
			if n, err := Writev(fd, bufs); n != len(all) || err != nil {
				t.Errorf("%s: %d of %d bytes gathered, %v", name, n, len(all), err)
			}
			if n, err := Write(fd, all); n != len(all) || err != nil {
				t.Errorf("%s: %d of %d bytes written, %v", name, n, len(all), err)
			}
		})
		if err := a.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(b)
		if err != nil || !bytes.Equal(got, append(all, all...)) {
			t.Errorf("%s: %d bytes came of twice %d, or others; %v", name, len(got), len(all), err)
		}
	}
}

func TestReadAndReady(t *testing.T) {
	a, b := pair(t)
	buf := make([]byte, 10_000)
	on(t, b, func(fd uintptr) {
		if n, err := Read(fd, buf); n != 0 || !errors.Is(err, unix.EAGAIN) {
			t.Errorf("nothing there: %d, %v; want %v", n, err, unix.EAGAIN)
		}
		if Ready(fd, unix.POLLIN) || !Ready(fd, unix.POLLOUT) {
			t.Error("an idle connection can be written to, and not be read from")
		}
	})
	want := pattern(6000)
	if _, err := a.Write(want); err != nil {
		t.Fatal(err)
	}
	var got []byte
	for len(got) < len(want) {
		on(t, b, func(fd uintptr) {
			if n, err := Read(fd, buf); err == nil {
				got = append(got, buf[:n]...)
			}
		})
	}
	if !bytes.Equal(got, want) {
		t.Error("other bytes came")
	}
	if err := a.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	for ended := false; !ended; {
		on(t, b, func(fd uintptr) {
			n, err := Read(fd, buf)
			ended = n == 0 && err == nil
			if !ended && !errors.Is(err, unix.EAGAIN) {
				t.Fatalf("behind the end: %d, %v", n, err)
			}
		})
	}
	on(t, b, func(fd uintptr) {
		if !Ready(fd, unix.POLLIN) {
			t.Error("the end of the stream can be read")
		}
	})
}

func TestErrorsAreTheSystems(t *testing.T) {
	nowhere := ^uintptr(0)
	if n, err := Read(nowhere, make([]byte, 1)); n != 0 || !errors.Is(err, unix.EBADF) {
		t.Errorf("read: %d, %v", n, err)
	}
	if n, err := Write(nowhere, make([]byte, 1)); n != 0 || !errors.Is(err, unix.EBADF) {
		t.Errorf("write: %d, %v", n, err)
	}
	if n, err := Writev(nowhere, [][]byte{{1}}); n != 0 || !errors.Is(err, unix.EBADF) {
		t.Errorf("writev: %d, %v", n, err)
	}
	if n, err := Write(nowhere, make([]byte, Small+1)); n != 0 || !errors.Is(err, unix.EBADF) {
		t.Errorf("write of many bytes: %d, %v", n, err)
	}
	if n, err := IoctlInt(nowhere, unix.SIOCOUTQNSD); n != 0 || !errors.Is(err, unix.EBADF) {
		t.Errorf("ioctl: %d, %v", n, err)
	}
}

// What does not fit waits in the ordinary way, with the deadline of the connection.
func TestConnWaitsWhereTheSystemIsFull(t *testing.T) {
	a, b := pair(t)
	w := Wrap(a)
	if err := a.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	sent, piece := 0, pattern(Small)
	for {
		n, err := w.Write(piece)
		sent += n
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil || n != len(piece) {
			t.Fatalf("%d of %d bytes, %v", n, len(piece), err)
		}
	}
	if err := a.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(b)
	if err != nil || len(got) != sent {
		t.Fatalf("%d bytes came of %d, %v", len(got), sent, err)
	}
	for i := range got {
		if got[i] != piece[i%len(piece)] {
			t.Fatalf("byte %d is another one", i)
		}
	}
}

func TestConnThatHasEndedSaysSo(t *testing.T) {
	a, _ := pair(t)
	w := Wrap(a)
	a.Close()
	if n, err := w.Write([]byte("late")); n != 0 || !errors.Is(err, net.ErrClosed) {
		t.Errorf("%d, %v; want %v", n, err, net.ErrClosed)
	}
	x, y := net.Pipe()
	defer y.Close()
	go func() { _, _ = Wrap(x).Write([]byte("in memory")) }()
	got := make([]byte, 9)
	if _, err := io.ReadFull(y, got); err != nil || string(got) != "in memory" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestSmallWritesTakeNoMemory(t *testing.T) {
	a, b := pair(t)
	go func() { _, _ = io.Copy(io.Discard, b) }()
	w, piece := Wrap(a), make([]byte, 100)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := w.Write(piece); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations for each write", n)
	}
	bufs := [][]byte{piece, piece}
	on(t, a, func(fd uintptr) {
		if n := testing.AllocsPerRun(100, func() { _, _ = Writev(fd, bufs) }); n > 0 {
			t.Errorf("%v allocations for each gathered write", n)
		}
	})
}
