package configs

import (
	"hawser/cc"
	"hawser/scheduler"
)

// Log says what is logged, and how.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn or error
	Format string `yaml:"format"` // console or json
}

// Admin is the listener for dashboard, status API and metrics.
type Admin struct {
	Address string   // address:port, empty: off
	Hosts   []string // names that the Host header may hold besides addresses and localhost
	Token   Secret   // needed outside loopback
}

// check applies the rules of the keys admin, admin_hosts and admin_token.
func (a Admin) check(d *document) {
	d.hosts("admin_hosts", a.Hosts)
	if a.Address == "" || !test(d, "admin", a.Address, checkListen) {
		return
	}
	if !isLoopback(a.Address) && a.Token.IsZero() {
		d.blame("admin", "%q is reachable from outside: set admin_token, or use 127.0.0.1", a.Address)
	}
}

// The values that both programs share.
var (
	logLevels  = []string{"debug", "info", "warn", "error"}
	logFormats = []string{"console", "json"}
)

// checkShared applies the rules of keys that both files have.
func (d *document) checkShared(scheme, congestion string, log Log) {
	d.oneOf("scheduler", scheme, scheduler.Names())
	d.oneOf("congestion", congestion, cc.Names())
	d.oneOf("log.level", log.Level, logLevels)
	d.oneOf("log.format", log.Format, logFormats)
}
