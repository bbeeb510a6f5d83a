// Package nonblock makes system calls on sockets that do not block, without telling the Go scheduler of them.
//
// Before an ordinary system call the runtime makes sure that its monitor thread runs, which takes the processor away from
// calls that last. In a program that has been idle that thread sleeps, and to wake it costs a system call and an
// interruption by the thread itself: 40–60 µs where caches are cold, in the path of the very first byte that arrives. A
// connection that is opened through the proxy meets that up to seven times. What never waits has no need of the monitor.
//
// A program that is busy has: the monitor looks after the network and after other goroutines when a processor is never
// idle. So no more than Small bytes are written in this way. Who moves much writes much, which is told to the scheduler.
package nonblock

// Small is how many bytes are written at most without telling the scheduler: a request, a reply, an acknowledgement.
const Small = 4 << 10
