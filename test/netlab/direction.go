package netlab

// Direction names one or both directions of a link.
type Direction uint8

// The directions of a link, by its sides as given to Lab.Link.
const (
	AToB Direction = 1 << iota
	BToA
	Both = AToB | BToA
)

// String gives the direction's name.
func (d Direction) String() string {
	switch d {
	case AToB:
		return "a→b"
	case BToA:
		return "b→a"
	case Both:
		return "a↔b"
	}
	return "no direction"
}

// Side names an end of a link.
type Side uint8

// The sides of a link, in the order of Lab.Link's arguments.
const (
	SideA Side = iota
	SideB
)

// String gives the side's name.
func (s Side) String() string {
	if s == SideA {
		return "a"
	}
	return "b"
}

// other returns the opposite side.
func (s Side) other() Side { return 1 - s }

// outward is the direction that starts at the side.
func (s Side) outward() Direction { return 1 << s }

// start is the side at which a single direction starts.
func (d Direction) start() Side {
	if d == BToA {
		return SideB
	}
	return SideA
}

// each lists the single directions in d by their starting side.
func (d Direction) each() []Side {
	switch d {
	case AToB:
		return []Side{SideA}
	case BToA:
		return []Side{SideB}
	case Both:
		return []Side{SideA, SideB}
	}
	return nil
}
