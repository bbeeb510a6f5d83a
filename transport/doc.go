// Package transport is the floor of one subflow: what a carrier is to the session above it.
//
// It declares the words that the session (package mptcp) and the carriers (package transport/plain, and the raw
// one on packages transport/tcp and transport/packet) share: paths, events, states and the buffers in which received
// bytes travel. A carrier gives no meaning to data sequence numbers and knows no other subflow.
//
// Ownership: a Subflow belongs to the loop of one MPTCP connection and is called by it alone. What a carrier's helper
// goroutines find out (bytes read, a socket writable again, a dial that failed) they post as an Input to that loop,
// which hands it back to the subflow unread: Post → inbox → Handle → Poll.
package transport
