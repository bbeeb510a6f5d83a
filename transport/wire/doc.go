// Package wire turns bytes into values and back: IP and TCP headers with their options, ICMP errors about TCP, the
// MPTCP options of RFC 8684, and sequence arithmetic; nothing else in the project knows their layout.
//
// Codecs are Append… (value to bytes) and Consume… (bytes to value and the number of bytes used, negative for bad
// input); none reads a clock, locks, allocates more than its result or panics on hostile input. Every value prints
// itself as tests and logs show it. What Consume… returns can always be appended again.
//
// Options are values, not pointers: ConsumeOption returns MPCapable, never *MPCapable, so type switches say
// `case wire.MPCapable:`, options compare with == and nobody shares one by accident. Boxing costs an allocation for
// each option, which signals can afford and data cannot: the mappings and acknowledgements of the data path use
// AppendDSS and DSS.Consume, which allocate nothing. Consume is the one method with a pointer receiver.
//
// What the standard tells a receiver to ignore is ignored here, once, for both carriers: reserved bits, options of
// unknown subtype or length, an MP_CAPABLE of a version or algorithm that is not ours. What depends on the state of a
// connection (which stage may come now, whether a checksum must be there) is for the caller.
//
// A value that has no form on the wire (an address announced without an address, a mapping of nothing) is a mistake of
// the caller and panics in Append…: sending something else in its place would end the peer's connection.
package wire
