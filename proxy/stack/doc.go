// Package stack builds a client and a server out of the floors below: configuration in, a running program out.
//
// The two commands and the demo, which runs both ends in one process, need the same wiring; commands cannot be
// imported, so it stands here and the commands hold flags alone. It is the one package of proxy that knows carriers
// and uplinks, and it has no logic of its own beyond order of start and stop, and the translation of snapshots for
// the status API.
package stack
