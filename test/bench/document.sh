#!/bin/sh
# Measures everything that docs/benchmarks.md shows, and fills its tables: three complete runs with bbr, one with cubic, the
# pairs of links in both directions, raw TCP. It takes about five hours, of a machine that does nothing else; docs/figures
# gets what has been measured, and with CONTINUE=1 an interrupted run goes on where it was.
set -u
cd "$(dirname "$0")/../.." || exit 1
figures=docs/figures
[ -n "${CONTINUE:-}" ] || rm -rf "$figures"
mkdir -p "$figures" docs/plots bin && ${GO:-go} build -o bin/bench ./test/bench || exit 1
missed=0
bench() { bin/bench -keep -missing -md docs/benchmarks.md "$@" || missed=1; }

bench -json "$figures/bbr.json" -run 1 -plots docs/plots
bench -json "$figures/bbr.json" -run 2
bench -json "$figures/bbr.json" -run 3
bench -json "$figures/cubic.json" -cc cubic -user nobody
bench -json "$figures/bbr.json" -only P5 -dir down
bench -json "$figures/bbr.json" -only P5 -dir up
bench -json "$figures/raw-bbr.json" -only raw
bench -json "$figures/raw-cubic.json" -cc cubic -only raw.1,raw.2,raw.3,raw.4,raw.5
exit $missed
