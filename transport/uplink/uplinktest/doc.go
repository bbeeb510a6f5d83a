// Package uplinktest is the twin of package uplink for tests and simulations: uplinks and paths that are what the test
// says. A change is told to the watchers before the call that makes it returns, so nothing has to be waited for.
package uplinktest
