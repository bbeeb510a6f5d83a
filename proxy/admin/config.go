package admin

import (
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/rs/zerolog"
)

// Config says where and to whom the admin pages are shown.
type Config struct {
	Address string         // key "admin": host:port to listen on; an empty host is every address
	Token   string         // key "admin_token": demanded from every request but health checks; empty only on loopback
	Hosts   []string       // key "admin_hosts": names, without a port, that a Host header may have
	Log     zerolog.Logger // zero: nothing is logged
}

// Check reports what is wrong with the configuration, without opening anything. Errors name the key.
func (c Config) Check() error {
	host, port, err := net.SplitHostPort(c.Address)
	if err != nil {
		return fmt.Errorf("admin: %q is no address and port, write it like 127.0.0.1:9090: %w", c.Address, err)
	}
	if port == "" {
		return fmt.Errorf("admin: %q has no port, write it like 127.0.0.1:9090", c.Address)
	}
	if c.Token == "" && !isLoopback(host) {
		return fmt.Errorf("admin: %s can be reached from other machines: set admin_token, or listen on 127.0.0.1", c.Address)
	}
	for _, h := range c.Hosts {
		if h == "" || strings.ContainsAny(h, ":/ ") {
			return fmt.Errorf("admin_hosts: %q is no host name, write it without scheme, port and path", h)
		}
	}
	return nil
}

// isLoopback tells whether host is this machine and nothing else. Names other than localhost are not looked up: what
// they mean may change.
func isLoopback(host string) bool {
	if isLocalhost(host) {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

func isLocalhost(host string) bool {
	return strings.EqualFold(strings.TrimSuffix(host, "."), "localhost")
}
