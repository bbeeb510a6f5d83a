package packet

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestErrorsOfTheSystemAreToldApart(t *testing.T) {
	for _, c := range []struct {
		err  error
		raw  bool
		gso  bool
		want string // in the error; empty: none, the mode is lowered
		mode Mode   // after it
		is   error
	}{
		{unix.ENOBUFS, false, true, "local queue is full", ModeGSO, ErrCongested},
		{unix.EAGAIN, true, false, "local queue is full", ModeGSO, ErrCongested},
		{&TooBigError{Size: 1501, MTU: 1500}, false, false, "larger than the MTU: 1501 bytes, 1500 fit", ModeGSO, ErrTooBig},
		{unix.EINVAL, false, true, "", ModeFrames, nil},
		{unix.EIO, false, true, "", ModeFrames, nil},
		{unix.EINVAL, false, false, "", ModeRawIP, nil},
		{unix.EINVAL, true, false, "invalid argument", ModeGSO, unix.EINVAL},
		{unix.ENETUNREACH, true, false, "send by wan0: network is unreachable", ModeGSO, unix.ENETUNREACH},
		{unix.ENETDOWN, false, true, "network is down", ModeGSO, unix.ENETDOWN},
		{unix.EPERM, true, false, "a firewall rule of this host refuses it", ModeGSO, unix.EPERM},
	} {
		w := way{f: &iface{name: "wan0"}, raw: c.raw}
		err := new(Socket).judge(&w, c.gso, c.err, start)
		switch {
		case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%v: %v, want %q", c.err, err, c.want)
		case c.is != nil && !errors.Is(err, c.is):
			t.Errorf("%v: %v is not %v", c.err, err, c.is)
		}
		st := w.f.status()
		if st.Mode != c.mode || (st.Mode != ModeGSO) != (st.Reason != "") {
			t.Errorf("%v: mode %v for %q, want %v", c.err, st.Mode, st.Reason, c.mode)
		}
		if st.Congested+st.GSORefused+st.FramesRefused+st.SendErrors != 1 {
			t.Errorf("%v: counters %+v", c.err, st.Counters)
		}
	}
}

func TestInterfacesStartWithWhatTheirKindAllows(t *testing.T) {
	for encap, want := range map[string]Mode{
		"ether": ModeGSO, "loopback": ModeGSO, "none": ModeGSO, "unknown519": ModeGSO, "ppp": ModeFrames, "infiniband": ModeRawIP,
	} {
		_, mode, reason := linkOf(encap)
		if mode != want || (mode == ModeGSO) != (reason == "") {
			t.Errorf("%s: mode %v for %q, want %v", encap, mode, reason, want)
		}
	}
}
