package configs

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// What the rules allow, as messages say it.
var (
	errName   = errors.New("use 1 to 63 letters, digits, dots, dashes and underscores, beginning with a letter or digit")
	errLabel  = errors.New("use 1 to 63 printable characters without commas and without spaces at the ends")
	errListen = errors.New("use address:port, such as 127.0.0.1:1080 or [::1]:1080, or :1080 for every address")
)

// checkName holds the rule for names of clients: they stand in files, logs and metrics.
func checkName(name string) error {
	for i, r := range []byte(name) {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && (i == 0 || r != '.' && r != '-' && r != '_') {
			return errName
		}
	}
	if name == "" || len(name) > 63 {
		return errName
	}
	return nil
}

// checkLabel holds the rule for names of uplinks, which on Windows are those of interfaces ("Ethernet 2").
func checkLabel(name string) error {
	bad := func(r rune) bool { return r == ',' || !unicode.IsPrint(r) }
	if name == "" || len(name) > 63 || !utf8.ValidString(name) || strings.TrimSpace(name) != name || strings.ContainsFunc(name, bad) {
		return errLabel
	}
	return nil
}

// checkHost holds the rule for names and addresses that others are told: no port, no zone, no brackets.
func checkHost(host string) error {
	if a, err := netip.ParseAddr(host); err == nil {
		if a.Zone() != "" || a.IsUnspecified() || a.IsMulticast() {
			return errors.New("use a unicast address without a zone")
		}
		return nil
	}
	if _, _, err := net.SplitHostPort(host); err == nil {
		return errors.New("use the name or address alone: ports have keys of their own")
	}
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	_, numeric := strconv.Atoi(labels[len(labels)-1])
	if len(host) > 253 || numeric == nil || slices.ContainsFunc(labels, badLabel) {
		return errors.New("use a host name or an IP address, such as vps.example.net, 192.0.2.1 or 2001:db8::1")
	}
	return nil
}

// badLabel says whether a label of a host name breaks RFC 1123 §2.1 (underscores are let through: resolvers do).
func badLabel(label string) bool {
	bad := func(r rune) bool { return r != '-' && r != '_' && notBase64URL(r) }
	return label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' || strings.ContainsFunc(label, bad)
}

// checkListen holds the rule for addresses to listen on; port 0 is any free one.
func checkListen(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return errListen
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return errListen
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" && host != "localhost" {
		return errListen
	}
	return nil
}

// isLoopback says whether only this machine reaches a listener at an address that checkListen let pass.
func isLoopback(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Unmap().IsLoopback()
}

// portOf gives the port of an address that checkListen let pass.
func portOf(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}

// test applies a rule to a value and records what it allows when it fails.
func test[T any](d *document, key string, value T, rule func(T) error) bool {
	if err := rule(value); err != nil {
		d.reject(key, value, err.Error())
		return false
	}
	return true
}

// oneOf wants a value from a list.
func (d *document) oneOf(key, value string, names []string) {
	if !slices.Contains(names, value) {
		d.reject(key, value, "use one of "+strings.Join(names, ", "))
	}
}

// between wants a number from a range.
func (d *document) between(key string, value, least, most int) {
	if value < least || value > most {
		d.blame(key, "%d is not allowed: use a whole number from %d to %d", value, least, most)
	}
}

// lasts wants a duration from a range.
func (d *document) lasts(key string, value, least, most time.Duration) {
	if value < least || value > most {
		d.blame(key, "%s is not allowed: use a duration from %s to %s", value, least, most)
	}
}

// unique wants every item of a list once; name is what an item is known by, "" is not compared.
func unique[T any](d *document, key, what string, list []T, name func(T) string) {
	first := map[string]int{}
	for i, item := range list {
		n := name(item)
		at, twice := first[n]
		switch {
		case n == "":
		case twice:
			d.blame(fmt.Sprintf("%s[%d]", key, i), "%s %q stands there twice, first as %s[%d]: keep one", what, n, key, at)
		default:
			first[n] = i
		}
	}
}

// hosts applies checkHost to a list and wants each once.
func (d *document) hosts(key string, list []string) {
	for i, host := range list {
		test(d, fmt.Sprintf("%s[%d]", key, i), host, checkHost)
	}
	unique(d, key, "the address", list, strings.ToLower)
}
