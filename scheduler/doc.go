// Package scheduler decides which paths carry the next chunk of a session's data. Schedulers are pure functions of
// path state: no clock, no goroutine, no lock, no I/O.
package scheduler
