package middlebox

import (
	"testing"

	"hawser/test/netlab"
)

// mark is a box whose stages tell that they were there.
type mark struct {
	name string
	said *[]string
}

func (m mark) stage(side string) netlab.Stage {
	return netlab.StageFunc(func(f []byte) [][]byte {
		*m.said = append(*m.said, m.name+side)
		return [][]byte{f}
	})
}

func (m mark) Ahead() netlab.Stage { return m.stage("→") }
func (m mark) Back() netlab.Stage  { return m.stage("←") }

func TestChainLeadsBackThroughTheBoxesInTheOppositeOrder(t *testing.T) {
	var said []string
	ahead, back := Chain(mark{"a", &said}, mark{"b", &said})
	for _, s := range append(ahead, back...) {
		s.Handle(newBench(t).now, nil, newBench(t))
	}
	if len(said) != 4 || said[0] != "a→" || said[1] != "b→" || said[2] != "b←" || said[3] != "a←" {
		t.Errorf("got %q", said)
	}
}
