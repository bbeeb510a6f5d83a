//go:build linux

// Command bench measures what the documents promise, on emulated links in network namespaces of its own, each figure
// against a reference of the same minute: kernel TCP on each link alone, runs interleaved, the median of several.
//
//	go run ./test/bench                      everything but the pairs of P5, as tables
//	go run ./test/bench -only P1,failover    some metrics or scenarios
//
// It needs Linux and root. Figures are ratios where a ratio says something: machines differ and are noisy. A run in
// which the processors were saturated although its links are shaped is marked and counts as missed.
package main
