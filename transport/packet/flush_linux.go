package packet

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// flush sends what the outbox holds. It returns the index of the first packet that has not gone whole, of which only
// the rest is left.
func (s *Socket) flush(o *outbox, ps []Packet, w *way, now time.Time) (int, error) {
	fd, name := s.out, uint32(unix.SizeofSockaddrLinklayer)
	if w.raw {
		name = nameLen(w.v4)
		if fd = s.raw[0]; !w.v4 {
			fd = s.raw[1]
		}
	}
	ms := o.seal(name)
	sent := 0
	var err error
	for sent < len(ms) && err == nil {
		var k int
		if k, err = sendmmsg(fd, ms[sent:]); errors.Is(err, unix.EINTR) {
			err = nil
		}
		sent += k
	}
	next := s.settle(o, ps, w, sent, now)
	if err != nil {
		slot := &o.slots[sent]
		if errors.Is(err, unix.EMSGSIZE) { // the MTU has shrunk this moment
			err = &TooBigError{Size: wireLen(&ps[slot.packet])}
		}
		if w.raw && errors.Is(err, unix.EPERM) {
			if around, e := s.goAround(o, ps, next, now, err); !errors.Is(e, unix.EPERM) {
				return around, e
			}
		}
		err = s.judge(w, slot.super, err, now)
	}
	return next, err
}

// settle counts what has gone and cuts it off its packet.
func (s *Socket) settle(o *outbox, ps []Packet, w *way, sent int, now time.Time) (next int) {
	c := &w.f.sent
	best := ModeRawIP
	for i := range o.slots[:sent] {
		slot := &o.slots[i]
		c.bytes.Add(uint64(slot.payload))
		if slot.super {
			best = ModeGSO
		} else if !w.raw && best != ModeGSO {
			best = ModeFrames
		}
		if !slot.whole {
			continue
		}
		switch {
		case ps[slot.packet].Control:
			c.control.Add(1)
		case w.raw:
			c.rawIP.Add(1)
		case w.mode == ModeGSO:
			c.gso.Add(1)
		default:
			c.frames.Add(1)
		}
	}
	if best != ModeRawIP {
		w.f.mu.Lock()
		w.f.ladder.worked(now, best)
		w.f.mu.Unlock()
	}
	if sent == 0 {
		return o.slots[0].packet
	}
	last := &o.slots[sent-1]
	if last.whole {
		return last.packet + 1
	}
	ps[last.packet].Advance(last.done)
	return last.packet
}

// judge makes of a system's error what the caller has to know. nil: the interface has gone to a lesser mode, in which
// the packet is to be tried again.
func (s *Socket) judge(w *way, super bool, err error, now time.Time) error {
	c := &w.f.sent
	switch {
	case errors.Is(err, unix.ENOBUFS), errors.Is(err, unix.EAGAIN), errors.Is(err, unix.ENOMEM):
		c.congested.Add(1)
		return fmt.Errorf("%w (%w)", ErrCongested, err)
	case errors.Is(err, ErrTooBig):
		c.sendErrors.Add(1)
		return err
	case !w.raw && refused(err):
		m := ModeFrames
		if super {
			m = ModeGSO
			c.gsoRefused.Add(1)
		} else {
			c.framesRefused.Add(1)
		}
		w.f.mu.Lock()
		w.f.ladder.failed(now, m, err.Error())
		w.f.mu.Unlock()
		return nil
	}
	c.sendErrors.Add(1)
	st := w.f.status()
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("packet: send by %s: a firewall rule of this host refuses it: allow TCP from the raw carrier's ports (%w)", st.Name, err)
	}
	return fmt.Errorf("packet: send by %s: %w", st.Name, err)
}

// refused says whether an error means that the interface, its driver or the kernel cannot do what was asked, rather than
// that something stands in the way now.
func refused(err error) bool {
	return errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EIO) || errors.Is(err, unix.EOPNOTSUPP) ||
		errors.Is(err, unix.EPROTONOSUPPORT)
}
