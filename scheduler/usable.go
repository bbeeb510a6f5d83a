package scheduler

// tier is how good a reason a path needs to be used.
type tier uint8

const (
	regular tier = iota // a regular path that is not suspect
	backup              // a backup path that is not suspect
	suspect             // any path: all are suspect, and something has to be tried
)

// tierOf is the tier whose paths carry data now. A regular path without room or credit at this moment still keeps the
// backups idle: it is worth waiting for (RFC 8684 §3.3.8: a backup path is used when no regular one is available, not
// when they are busy). A suspect one is not.
func tierOf(paths []Path) tier {
	t := suspect
	for i := range paths {
		switch p := &paths[i]; {
		case p.Suspect:
		case p.Backup:
			t = min(t, backup)
		default:
			return regular
		}
	}
	return t
}

// has says that p carries data of c while t is in use, now or when it has room.
func (t tier) has(p *Path, c Chunk) bool {
	if c.Avoid >= 0 && p.ID == c.Avoid {
		return false
	}
	switch t {
	case regular:
		return !p.Suspect && !p.Backup
	case backup:
		return !p.Suspect // there is no regular one
	}
	return true
}

// open says that p takes bytes now.
func open(p *Path) bool { return p.Room > 0 && p.Credit > 0 }

// quickest is the index of the path of t with the smallest smoothed round trip, open ones only if now; -1: none. A path
// that was not measured yet comes last.
func quickest(paths []Path, t tier, c Chunk, now bool) int {
	best := -1
	for i := range paths {
		p := &paths[i]
		if !t.has(p, c) || now && !open(p) {
			continue
		}
		if best < 0 || quicker(p, &paths[best]) {
			best = i
		}
	}
	return best
}

// quicker says that p's smoothed round trip is known and smaller than q's.
func quicker(p, q *Path) bool {
	return p.SRTT > 0 && (q.SRTT == 0 || p.SRTT < q.SRTT)
}
