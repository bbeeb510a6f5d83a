package demo

import (
	"context"
	"fmt"
	"time"

	"hawser/proxy/demo/link"
)

// measurement goes through the plan, step by step.
type measurement struct {
	*bed
	version  string
	plan     plan
	progress *progress
	spent    time.Duration // on measuring again
	result   Result
}

// run measures everything.
func (m *measurement) run(ctx context.Context) error {
	for _, l := range m.links {
		if err := m.measureAlone(ctx, l); err != nil {
			return err
		}
	}
	if err := m.ready(ctx, ""); err != nil {
		return err
	}
	if err := m.measureBond(ctx); err != nil {
		return err
	}
	return m.cut(ctx, 0)
}

func (m *measurement) measureAlone(ctx context.Context, l *link.Link) error {
	u := Uplink{Name: l.Name}
	err := m.alone(m.version, l, func(who *user) error {
		return m.both(ctx, l.Name+" alone", who, l.Rate, &u.Rates)
	})
	m.result.Uplinks = append(m.result.Uplinks, u)
	return err
}

func (m *measurement) measureBond(ctx context.Context) error {
	before := m.carried()
	err := m.both(ctx, "bond", m.user, sum(), &m.result.Bond)
	for i, n := range m.carried() {
		m.result.Uplinks[i].Bytes = n - before[i]
	}
	return err
}

// carried is what each link has delivered so far, both directions.
func (m *measurement) carried() []uint64 {
	var list []uint64
	for _, l := range m.links {
		up, down := l.Bytes()
		list = append(list, up+down)
	}
	return list
}

// both measures both directions at a rate that is hoped for.
func (m *measurement) both(ctx context.Context, what string, who *user, rate int, into *Rates) error {
	for _, d := range []direction{down, up} {
		what := fmt.Sprintf("%s, %s", what, d)
		best, err := m.once(ctx, what, who, d, rate)
		if err != nil {
			return err
		}
		// Another program that takes the processor for a second would be taken for a lack of ours.
		if float64(best) < enough*float64(rate) && m.spent < m.plan.again {
			began := time.Now()
			second, err := m.once(ctx, fmt.Sprintf("%s, again after %s", what, megabits(best)), who, d, rate)
			if err != nil {
				return err
			}
			best, m.spent = max(best, second), m.spent+time.Since(began)
		}
		into.set(d, best)
	}
	return nil
}

// once moves one file and gives its rate.
func (m *measurement) once(ctx context.Context, what string, who *user, d direction, rate int) (int64, error) {
	n := m.plan.measured(rate)
	var r receipt
	err := m.progress.step(what, func() (err error) {
		ctx, cancel := context.WithTimeout(ctx, m.plan.limit())
		defer cancel()
		r, err = who.transfer(ctx, d, n)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("%s: %w", what, err)
	}
	m.check(what, n, r)
	return r.Rate, nil
}

// check notes a file that is not the one that was sent.
func (m *measurement) check(what string, n int64, r receipt) {
	switch {
	case r.Bytes != n:
		m.result.broken = append(m.result.broken, fmt.Sprintf("%s: %d bytes arrived of a file of %d", what, r.Bytes, n))
	case r.SHA256 != hashOf(n):
		m.result.broken = append(m.result.broken, what+": the file's hash differs")
	}
}

// cut has a file come while a link falls silent, and restores the link.
func (m *measurement) cut(ctx context.Context, i int) error {
	l := m.links[i]
	n := m.plan.cut(l.Config)
	a := new(arrivals)
	var r receipt
	what := l.Name + " cut during a download"
	err := m.progress.step(what, func() (err error) {
		ctx, cancel := context.WithTimeout(ctx, m.plan.limit())
		defer cancel()
		cut := time.AfterFunc(m.plan.before, func() { a.mark(); l.Cut() })
		defer l.Restore()
		r, err = m.user.get(ctx, n, a)
		if cut.Stop() && err == nil {
			err = fmt.Errorf("the transfer ended before the cut, after %d of %d bytes", r.Bytes, n)
		}
		return err
	})
	_, gap := a.total()
	m.result.Cut = Cut{Uplink: l.Name, Gap: gap.Milliseconds(), Lost: n - r.Bytes}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		m.result.broken = append(m.result.broken, fmt.Sprintf("%s: %v", what, err))
	default:
		m.check(what, n, r)
	}
	return nil
}
