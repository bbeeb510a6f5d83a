// Package cli holds what the two programs' command lines have in common: exit status, version, the commands that both
// have, and how errors are shown. The commands themselves are in cmd/client and cmd/server and only turn flags into
// calls.
//
// Exit status: 0 fine, 1 failed, 2 wrong usage or configuration. What cobra refuses before a command's own code runs
// (unknown commands and flags, stray arguments) is wrong usage, without each command having to say so.
package cli
