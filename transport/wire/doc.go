// Package wire turns bytes into values and back: the MPTCP options of RFC 8684 and sequence arithmetic; nothing else
// in the project knows their layout.
//
// Codecs are Append… (value to bytes) and Consume… (bytes to value and the number of bytes used, negative for bad
// input); none reads a clock, locks, allocates more than its result or panics on hostile input. Every value prints
// itself as tests and logs show it.
package wire
