// Package demo is the one-command taste of Hawser: a server and clients in this process, joined by two emulated
// uplinks on 127.0.0.1, a file server as target, and a measurement that a person or a script can read.
//
// Everything but the lines is real: the programs' own stack (package stack), sessions over kernel TCP connections,
// SOCKS5 on the proxy's port, HTTP to the target. The lines are emulated by package link.
//
// What is measured is goodput, at the receiver: the bytes of the file that arrive per second once the transfer has
// warmed up, download at the client, upload at the file server. The file's content is a function of its length, so
// that both ends know its hash without talking about it, and every transfer is checked. Each uplink alone is measured
// through a client that has no other, one after the other, then the bond through the client that stays. A rate that
// falls short is measured a second time, and the better one counts: a line inside a process is late when another
// program takes the processor, which a real one is not.
//
// The bytes that a link counted are those of the bond's two measurements, both directions together.
package demo
