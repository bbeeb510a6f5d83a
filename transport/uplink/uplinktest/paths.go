package uplinktest

import (
	"slices"
	"sync"

	"hawser/transport"
)

// Report is one call of Paths.Report.
type Report struct {
	Path transport.Path
	Err  error
}

// Paths stands in for uplink.Targets. Safe for concurrent use.
type Paths struct {
	watchers watchers

	mu      sync.Mutex // guards what follows
	paths   []transport.Path
	reports []Report
}

// NewPaths makes a list of these paths, grouped by uplink, the best of each first.
func NewPaths(ps ...transport.Path) *Paths { return &Paths{paths: slices.Clone(ps)} }

// Replace puts other paths in the place of all.
func (p *Paths) Replace(ps ...transport.Path) {
	p.mu.Lock()
	p.paths = slices.Clone(ps)
	p.mu.Unlock()
	p.watchers.call()
}

// Without takes the paths of the uplink with this id out, as a pulled cable does, and returns how to put them back.
func (p *Paths) Without(id uint8) (restore func()) {
	p.mu.Lock()
	before := slices.Clone(p.paths)
	p.paths = slices.DeleteFunc(slices.Clone(p.paths), func(q transport.Path) bool { return q.ID == id })
	p.mu.Unlock()
	p.watchers.call()
	return func() { p.Replace(before...) }
}

// Paths lists the paths.
func (p *Paths) Paths() []transport.Path {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.paths)
}

// Watch has changed called by every change, before it returns.
func (p *Paths) Watch(changed func()) (stop func()) { return p.watchers.add(changed) }

// Report is noted, and changes nothing: the test decides about the order.
func (p *Paths) Report(q transport.Path, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reports = append(p.reports, Report{q, err})
}

// Reports lists the calls of Report so far.
func (p *Paths) Reports() []Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.reports)
}
