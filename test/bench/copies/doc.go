// Package copies counts the bytes that a Go program copies in user space. Every copy of more than a few bytes (copy,
// append, strings and slices that grow) ends in the runtime's memmove, so the programs are built with a memmove that
// adds what it moves to a counter, and the counter is read from the memory of the running process: the code that is
// measured is not touched and cannot forget a copy. What AES-GCM of crypto/tls does is not counted: it works in place.
//
// The source of memmove is the installed Go's own, with one instruction put in when the programs are built
// (go build -overlay), on amd64 only.
package copies
