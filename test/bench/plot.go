//go:build linux

package main

import (
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// curve is one line of a plot.
type curve struct {
	name   string
	points plotter.XYs
}

// colours of the curves, in their order: told apart by the colour-blind too (Okabe and Ito).
var colours = []color.Color{
	color.RGBA{R: 0, G: 114, B: 178, A: 255},
	color.RGBA{R: 213, G: 94, B: 0, A: 255},
	color.RGBA{R: 0, G: 158, B: 115, A: 255},
	color.RGBA{R: 204, G: 121, B: 167, A: 255},
	color.RGBA{R: 86, G: 180, B: 233, A: 255},
	color.RGBA{R: 0, G: 0, B: 0, A: 255},
}

// drawing is a plot to be.
type drawing struct {
	title, x, y string // of the axes: what and in which unit
	curves      []curve
	marks       []float64 // vertical lines at these x
	logarithmic bool      // the x axis; all x are above 0
	top         float64   // of the y axis; what is above is cut off; 0: as the curves need
}

// save draws into dir/name.png.
func (d drawing) save(dir, name string) error {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = d.title, d.x, d.y
	p.Title.Padding, p.Legend.Padding = vg.Points(6), vg.Points(2)
	p.Legend.Top = true
	p.BackgroundColor = color.White
	p.Add(plotter.NewGrid())
	var top float64
	for i, c := range d.curves {
		line, err := plotter.NewLine(c.points)
		if err != nil {
			return err
		}
		line.Color, line.Width = colours[i%len(colours)], vg.Points(1.5)
		p.Add(line)
		p.Legend.Add(c.name, line)
		for _, xy := range c.points {
			top = max(top, xy.Y)
		}
	}
	top *= 1.15 // room for the legend
	if d.top > 0 {
		top = d.top
	}
	for _, x := range d.marks {
		line, err := plotter.NewLine(plotter.XYs{{X: x, Y: 0}, {X: x, Y: top}})
		if err != nil {
			return err
		}
		line.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
		p.Add(line)
	}
	p.Y.Min, p.Y.Max = 0, top
	p.X.Min, p.X.Tick.Marker = 0, steps(p.X.Max)
	if d.logarithmic {
		p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, decades()
		p.X.Min = d.least()
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return p.Save(20*vg.Centimeter, 11*vg.Centimeter, filepath.Join(dir, name+".png"))
}

// least is the smallest x.
func (d drawing) least() float64 {
	x := math.Inf(1)
	for _, c := range d.curves {
		for _, xy := range c.points {
			x = min(x, xy.X)
		}
	}
	return x
}

// steps are ticks at whole numbers.
func steps(most float64) (ticks plot.ConstantTicks) {
	for x := 0.0; x <= most; x++ {
		ticks = append(ticks, plot.Tick{Value: x, Label: fmt.Sprint(x)})
	}
	return ticks
}

// decades are ticks at 1, 2 and 5 of every power of ten, from 10 µs to 100 s in ms.
func decades() (ticks plot.ConstantTicks) {
	for power := 0.01; power <= 1e5; power *= 10 {
		for _, n := range []float64{1, 2, 5} {
			ticks = append(ticks, plot.Tick{Value: n * power, Label: strconv.FormatFloat(n*power, 'g', 3, 64)})
		}
	}
	return ticks
}

// plotStep is the time over which a plotted goodput is taken.
const plotStep = 10 * sampleStep

// goodputCurve is a transfer's goodput over time, in Mbit/s and s.
func goodputCurve(name string, series []sample) curve {
	c := curve{name: name}
	var from sample
	for _, s := range series {
		if s.at-from.at < plotStep {
			continue
		}
		c.points = append(c.points, plotter.XY{X: s.at.Seconds(), Y: s.rate(from) / 1e6})
		from = s
	}
	return c
}

// cdfCurve is the share of values up to each value, as steps. Values of 0 are left out: a logarithmic axis has none.
func cdfCurve(name string, values []float64) curve {
	v := slices.Clone(values)
	slices.Sort(v)
	c := curve{name: name}
	for i, x := range v {
		if x > 0 {
			n := float64(len(v))
			c.points = append(c.points, plotter.XY{X: x, Y: float64(i) / n}, plotter.XY{X: x, Y: float64(i+1) / n})
		}
	}
	return c
}

// plotCDF draws the distributions of latencies in ms into the directory of -plots; without one it does nothing.
func (b *bench) plotCDF(name, title string, curves ...curve) error {
	if b.plots == "" {
		return nil
	}
	return drawing{title: title, x: "latency, ms", y: "share of requests", curves: curves, logarithmic: true}.save(b.plots, name)
}
