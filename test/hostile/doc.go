// Package hostile runs the two real programs against bad input: configuration and keys that are wrong, ports that are
// taken, strangers who speak garbage, half a protocol or too much of it, clients that were revoked, servers that are
// none, insiders who break the rules, and floods.
//
// Each case asserts what the person or the peer is told (message and exit status, reply code, HTTP status, reason of a
// reset), that waiting happens where waiting is right, and that what runs goes on: a transfer through the same two
// processes moves bytes after every case and ends with the right hash.
//
// The plain carrier is spoken by hand here, from docs/protocol.md and the option codecs alone, so that these tests also
// check the document. Only what happens inside an authenticated session uses the packages that clients use.
package hostile
