package stack

import (
	"hawser/configs"
	"hawser/mptcp"
	"hawser/proxy/tunnel/mux"
)

// newWindows accounts for the receive memory of all streams. They may take half of what there is for receiving, which
// itself is half of the limit; the rest is the connections' below.
func newWindows(budget *mptcp.Budget, limit configs.Size) *mux.Windows {
	return mux.NewWindows(budget, int(limit)/4)
}
