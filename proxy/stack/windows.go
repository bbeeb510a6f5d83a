package stack

import (
	"hawser/configs"
	"hawser/mptcp"
	"hawser/proxy/tunnel/mux"
)

// newWindows accounts for the receive memory of all streams. They may take three quarters of what there is for
// receiving, which itself is half of the limit; the rest is the connections' below. With a client's usual limit of
// 512 MB that is 10,000 streams.
func newWindows(budget *mptcp.Budget, limit configs.Size) *mux.Windows {
	return mux.NewWindows(budget, int(limit)/8*3)
}
