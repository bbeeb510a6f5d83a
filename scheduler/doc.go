// Package scheduler decides which paths carry the next chunk of a session's data. Schedulers are pure functions of
// path state: no clock, no goroutine, no lock, no I/O, and no allocation.
//
// The default, auto, asks one question of each path: when would this chunk have arrived, were it given to that path
// now? The answer decides by four rules, each of which removes one way in which multipath is slower than its best path:
//
//   - Under load every path that has room pulls, however slow, so the rates add up. Binding a chunk to a path as late as
//     possible does more than any cleverness before, so callers offer small chunks and little room.
//   - A chunk never goes where it would block the peer's receive window for the faster paths (after BLEST).
//   - The end of a transfer waits for the fast paths (after ECF). Whether a transfer is near its end nobody knows; it is
//     expected to last for as long again as it has lasted.
//   - Small data takes the path of the earliest delivery, ahead of bulk.
//
// The other schedulers are there to compare with and for special cases: each says which. All of them keep backup paths
// for the time when no regular one is usable.
//
// The tests state each promise as a bound in a simulation, and that the bound is missed without the rule.
package scheduler
