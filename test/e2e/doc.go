// Package e2e tests the two programs as people use them: real processes in network namespaces, real links that break,
// real curl. It needs Linux and root and skips with a reason without them.
//
// It asserts that what arrives is what was sent and that times keep wide bounds; how fast things are is measured by
// test/bench.
package e2e
