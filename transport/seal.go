package transport

// Keys seal what the two ends of a session say to each other on one subflow: the plain carrier authenticates all of it and
// encrypts the payload. A carrier whose wire has no room for that (RFC 8684's options) leaves them unused.
type Keys struct {
	Send, Receive [32]byte
	ChaCha        bool // ChaCha20-Poly1305 in place of AES-128-GCM: what TLS has agreed on suits both machines
}

// Protection is how far a subflow is sealed. It only ever rises.
type Protection uint8

// The values of Protection.
const (
	Unprotected Protection = iota
	// ProtectInReply: what the peer has sealed is accepted, and from the first of it we seal too.
	ProtectInReply
	// ProtectSending: we seal from now on. Of what the peer does not seal only acknowledgements of what was sent before
	// still count.
	ProtectSending
	// ProtectAll: we seal from now on, after what was signalled already, and nothing else is accepted of the peer.
	ProtectAll
)
