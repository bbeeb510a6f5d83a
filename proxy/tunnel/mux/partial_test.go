package mux

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"hawser/proxy/tunnel/tunneltest"
)

// A connection below that is not TLS gives what has arrived, which may end anywhere in a frame.

// rawClient opens a stream by hand at a session of its own, and sends a whole frame and a part of another.
func rawClient(t *testing.T) (client *tunneltest.Conn, s *Session, st *Stream) {
	t.Helper()
	client, b := tunneltest.Pipe(tunneltest.Line{})
	s, err := New(b, Config{})
	if err != nil {
		t.Fatal(err)
	}
	frames := appendHeader(nil, header{kind: kindWindow, flags: flagSYN, id: 1})
	frames = append(appendHeader(frames, header{kind: kindData, id: 1, length: 5}), "whole"...)
	frames = append(appendHeader(frames, header{kind: kindData, id: 1, length: 6}), "pa"...)
	if _, err := client.Write(frames); err != nil {
		t.Fatal(err)
	}
	if st, err = s.Accept(); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	return client, s, st
}

func TestReadDoesNotWaitForTheRestOfAFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, s, st := rawClient(t)
		defer s.Close()
		if n := st.Unread(); n != 5 {
			t.Errorf("%d bytes can be read, want those of the whole frame", n)
		}
		_ = st.SetReadDeadline(time.Now().Add(time.Minute))
		start, buf := time.Now(), make([]byte, 100)
		if n, err := st.Read(buf); string(buf[:n]) != "whole" || err != nil {
			t.Errorf("got %q, %v", buf[:n], err)
		}
		if took := time.Since(start); took > 0 {
			t.Errorf("Read took %v with bytes at hand", took)
		}
		if n := st.Unread(); n != 0 {
			t.Errorf("%d bytes can be read of a frame of which a part has arrived", n)
		}
		if _, err := client.Write([]byte("rtly")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := st.Unread(); n != 6 {
			t.Errorf("%d bytes can be read, want those of the second frame", n)
		}
		if n, err := st.Read(buf); string(buf[:n]) != "partly" || err != nil {
			t.Errorf("got %q, %v", buf[:n], err)
		}
	})
}

func TestEndInsideAFrameIsNotInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, s, _ := rawClient(t)
		defer s.Close()
		_ = client.Close()
		<-s.Done()
		wantErr(t, "the session", s.Err(), io.ErrUnexpectedEOF)
	})
}
