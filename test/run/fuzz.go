package main

import (
	"fmt"
	"os"
	"time"

	"hawser/test/arch"
)

// fuzzStages makes one stage of each fuzz target in the tree: `go test` takes one at a time.
func fuzzStages(d time.Duration) []stage {
	return []stage{{"find fuzz targets", func(r *run) error {
		tree, err := arch.Load(os.DirFS("."))
		if err != nil {
			return err
		}
		targets := arch.FuzzTargets(tree)
		if len(targets) == 0 {
			return fmt.Errorf("no fuzz target was found")
		}
		for _, t := range targets {
			fmt.Fprintf(r.out, "   ./%s %s\n", t.Dir, t.Name)
			err := r.command(nil, "go", "test", "-run=^$", "-fuzz=^"+t.Name+"$", "-fuzztime="+d.String(), "-fuzzminimizetime=10x", "./"+t.Dir)
			if err != nil {
				r.failed++
				return err
			}
			r.pass()
		}
		return nil
	}}}
}
