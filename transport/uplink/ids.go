package uplink

import (
	"errors"
	"math"
)

// ids gives every uplink an address id that it keeps for the life of the process: the peer knows addresses by their
// ids (RFC 8684 §3.4.1), so one id must not mean another uplink later.
type ids struct {
	byName map[string]uint8
	last   uint8
}

var errNoID = errors.New("255 uplinks have been seen since the start: restart, or configure the uplinks to use")

// of returns the id of an uplink, a new one for a new name.
func (t *ids) of(name string) (uint8, error) {
	if id, ok := t.byName[name]; ok {
		return id, nil
	}
	if t.last == math.MaxUint8 {
		return 0, errNoID
	}
	if t.byName == nil {
		t.byName = make(map[string]uint8)
	}
	t.last++
	t.byName[name] = t.last
	return t.last, nil
}

// rename moves the id of an uplink to its new name, unless that name has one already.
func (t *ids) rename(old, name string) {
	id, ok := t.byName[old]
	if _, taken := t.byName[name]; ok && !taken {
		delete(t.byName, old)
		t.byName[name] = id
	}
}
