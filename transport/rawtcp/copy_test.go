package rawtcp

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"testing/iotest"
	"time"

	"hawser/transport/packettest"
)

// onlyWriter has nothing but Write, so that io.Copy uses what the connection has.
type onlyWriter struct{ io.Writer }

func TestReadFromAndWriteToMoveTheStream(t *testing.T) {
	link := packettest.LinkConfig{Rate: 50e6, Delay: 10 * time.Millisecond, Loss: 0.01}
	inBubble(t, 1, link, func(r *rig) {
		client, server := r.connect()
		want := pattern(3, 3*megabyte)
		sent := make(chan error, 1)
		go func() {
			n, err := client.ReadFrom(io.MultiReader(bytes.NewReader(want[:100]), bytes.NewReader(want[100:])))
			if err == nil && n != int64(len(want)) {
				err = io.ErrShortBuffer
			}
			sent <- errors.Join(err, client.CloseWrite())
		}()
		var got bytes.Buffer
		if n, err := server.WriteTo(onlyWriter{&got}); err != nil || n != int64(len(want)) {
			t.Errorf("WriteTo: %d, %v", n, err)
		}
		if err := <-sent; err != nil {
			t.Error(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("got %d bytes, want the %d that were sent", got.Len(), len(want))
		}
	})
}

func TestReadFromAndWriteToTellErrorsApart(t *testing.T) {
	inBubble(t, 1, packettest.LinkConfig{Delay: time.Millisecond}, func(r *rig) {
		client, server := r.connect()
		mine := errors.New("mine")
		if n, err := client.ReadFrom(io.MultiReader(bytes.NewReader(pattern(1, 10)), iotest.ErrReader(mine))); n != 10 || err != mine {
			t.Errorf("a reader's error: %d, %v", n, err)
		}
		full := writerFunc(func([]byte) (int, error) { return 3, mine })
		if n, err := server.WriteTo(full); n != 3 || err != mine {
			t.Errorf("a writer's error: %d, %v", n, err)
		}
		if _, err := client.Write(pattern(1, 10)); err != nil {
			t.Fatal(err)
		}
		short := writerFunc(func([]byte) (int, error) { return 3, nil })
		if n, err := server.WriteTo(short); n != 3 || err != io.ErrShortWrite {
			t.Errorf("a short write: %d, %v", n, err)
		}
		_ = client.SetReadDeadline(time.Now().Add(time.Second))
		var timeout net.Error
		if _, err := client.WriteTo(io.Discard); !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("after the deadline: %v", err)
		}
		_ = client.CloseWrite()
		var op *net.OpError
		if _, err := client.ReadFrom(bytes.NewReader(pattern(1, 10))); !errors.As(err, &op) || !errors.Is(err, net.ErrClosed) {
			t.Errorf("after CloseWrite: %v", err)
		}
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// Thousands of tiny writes behind a closed window leave once it opens, by ReadFrom and by Write alike.
func TestTinyWritesBehindAClosedWindowArrive(t *testing.T) {
	link := packettest.LinkConfig{Rate: 50e6, Delay: 10 * time.Millisecond}
	for name, write := range map[string]func(c *Conn, b []byte) error{
		"ReadFrom": func(c *Conn, b []byte) error {
			_, err := c.ReadFrom(iotest.OneByteReader(slowly(b)))
			return err
		},
		"Write": func(c *Conn, b []byte) error {
			for i := range b {
				if _, err := c.Write(b[i : i+1]); err != nil {
					return err
				}
				time.Sleep(time.Microsecond)
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 1, link, func(r *rig) {
				client, server := r.connect()
				tiny := pattern(2, 3000)
				var first []byte
				for len(first) == 0 || client.Stats().PeerWindow > 0 {
					part := pattern(byte(len(first)), 10_000)
					if _, err := client.Write(part); err != nil {
						t.Fatal(err)
					}
					first = append(first, part...)
					time.Sleep(100 * time.Millisecond)
				}
				if err := errors.Join(write(client, tiny), client.CloseWrite()); err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(server)
				if err != nil || !bytes.Equal(got, append(first, tiny...)) {
					t.Errorf("got %d bytes, %v", len(got), err)
				}
				if st := client.Stats(); st.SendErrors != 0 {
					t.Errorf("%d packets were refused: %v", st.SendErrors, st.SendError)
				}
				_ = server.Close()
			})
		})
	}
}

// slowly has the loop run between two reads.
func slowly(b []byte) io.Reader {
	left := bytes.NewReader(b)
	return readerFunc(func(p []byte) (int, error) {
		time.Sleep(time.Microsecond)
		return left.Read(p)
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// Neighbours in one buffer are one span, however many reads have filled it.
func TestReadsOfOneBufferAreOneSpan(t *testing.T) {
	var g outGate
	g.space.L, g.limit = &g.mu, minUnsent
	if _, _, err := g.fillFrom(iotest.OneByteReader(bytes.NewReader(make([]byte, 100))), func() {}); err != nil {
		t.Fatal(err)
	}
	if len(g.spans) != 1 || g.spans[0].to != 100 || g.waiting != 100 {
		t.Errorf("%d spans for 100 bytes, %d wait", len(g.spans), g.waiting)
	}
	g.finish(net.ErrClosed)
}
