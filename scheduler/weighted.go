package scheduler

import (
	"slices"
	"time"
)

// weighted shares the bytes by configured weights or, when no path has one, by the paths' rates. Paths that take
// nothing now give up their turn, and get nothing in return later: no uplink waits for another.
type weighted struct {
	shares []share // of the paths in use, in no order
}

// share is a path's account: what is due to it, in bytes.
type share struct {
	id     int
	due    float64
	weight float64
	open   bool // takes part in this turn
}

// Pick appends one path or none.
func (w *weighted) Pick(_ time.Time, paths []Path, c Chunk, dst []int) []int {
	total := w.update(paths, c)
	best := -1
	for i := range w.shares {
		s := &w.shares[i]
		if !s.open {
			continue
		}
		s.due += float64(c.Size) * s.weight / total
		if best < 0 || s.due > w.shares[best].due {
			best = i
		}
	}
	if best < 0 {
		return dst
	}
	w.shares[best].due -= float64(c.Size)
	return append(dst, w.shares[best].id)
}

// update brings the accounts up to date with paths and returns the sum of the weights of those that take part.
func (w *weighted) update(paths []Path, c Chunk) (total float64) {
	w.shares = slices.DeleteFunc(w.shares, func(s share) bool { return indexOf(paths, s.id) < 0 })
	t, weigh := tierOf(paths), weights(paths)
	for i := range paths {
		p := &paths[i]
		s := w.share(p.ID)
		s.open, s.weight = t.has(p, c) && open(p), weigh.of(p)
		if s.open {
			total += s.weight
		} else {
			s.due = 0
		}
	}
	return total
}

// share finds the account of a path, or opens it.
func (w *weighted) share(id int) *share {
	for i := range w.shares {
		if w.shares[i].id == id {
			return &w.shares[i]
		}
	}
	w.shares = append(w.shares, share{id: id})
	return &w.shares[len(w.shares)-1]
}

// scale says what paths are weighed by.
type scale struct {
	configured bool    // by Weight; a path without one weighs 1
	mean       float64 // rate of a path that is not measured yet
}

// weights finds the scale on which all of paths can be compared.
func weights(paths []Path) scale {
	s := scale{mean: 1}
	var sum, n float64
	for i := range paths {
		s.configured = s.configured || paths[i].Weight > 0
		if paths[i].Rate > 0 {
			sum, n = sum+float64(paths[i].Rate), n+1
		}
	}
	if n > 0 {
		s.mean = sum / n
	}
	return s
}

// of is what p weighs.
func (s scale) of(p *Path) float64 {
	switch {
	case s.configured:
		return float64(max(p.Weight, 1))
	case p.Rate > 0:
		return float64(p.Rate)
	}
	return s.mean
}

// indexOf is the index of the path with that ID, or -1.
func indexOf(paths []Path, id int) int {
	for i := range paths {
		if paths[i].ID == id {
			return i
		}
	}
	return -1
}
