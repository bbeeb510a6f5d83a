// Package plaintest is the plain carrier's network in memory: whole sessions run over emulated uplinks in virtual time
// (testing/synctest), where file descriptors cannot be used, or in real time.
//
// A Network has Links, each with rate, one-way delay, jitter, queue and loss for either direction, all changeable while
// traffic runs, and connections that behave as kernel TCP shows itself to a program: bytes in order, delayed by about a
// round trip when a segment was lost, by a retransmission timeout when the tail or everything was, with a congestion
// window, a bounded send buffer and the unsent bytes that late scheduling looks at. Connections of all sessions share a
// link's queue. Losses come from the seed and the order of each connection's own segments.
//
// A bubble stops its clock when its test function returns, while connections that were ended still linger for a second:
// a test should end its sessions, close its Acceptor and then sleep a virtual minute, so that all goroutines end.
//
// What is left out, because the carrier cannot see it or never meets it: the receive window (the carrier always reads),
// delayed acknowledgements, tail loss probes (a lost tail costs a whole timeout: the hard case), path MTU, giving up after many
// retransmissions.
package plaintest
