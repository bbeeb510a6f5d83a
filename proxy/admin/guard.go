package admin

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// guard decides who may read. It holds no state that changes.
type guard struct {
	hosts  map[string]bool // lower case, without a trailing dot
	digest *[sha256.Size]byte
}

func newGuard(c Config) guard {
	g := guard{hosts: map[string]bool{}}
	for _, h := range c.Hosts {
		g.hosts[canonical(h)] = true
	}
	if c.Token != "" {
		d := sha256.Sum256([]byte(c.Token))
		g.digest = &d
	}
	return g
}

func canonical(host string) string {
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// host refuses requests for a name that is not ours. A browser sends the name of the page's address here, whoever's
// DNS answered for it, so this is what stops DNS rebinding.
func (g guard) host(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.known(r.Host) {
			http.Error(w, fmt.Sprintf("the host %q is not allowed here: use an address, localhost, or list it in admin_hosts", r.Host), http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// known decides about a Host header, with or without a port (RFC 9110 §7.2).
func (g guard) known(header string) bool {
	host := header
	if h, _, err := net.SplitHostPort(header); err == nil {
		host = h
	} else if inner, ok := strings.CutPrefix(header, "["); ok {
		host = strings.TrimSuffix(inner, "]")
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return isLocalhost(host) || g.hosts[canonical(host)]
}

// token refuses requests without the token, if one is set.
func (g guard) token(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.allows(r) {
			w.Header().Set("WWW-Authenticate", `Basic realm="hawser: any user, admin_token as password", charset="UTF-8"`)
			http.Error(w, "admin_token is needed: as a bearer token, or as the password of any user", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// allows compares digests, so that neither the length nor a common prefix shows in the time taken.
func (g guard) allows(r *http.Request) bool {
	if g.digest == nil {
		return true
	}
	given := sha256.Sum256([]byte(credential(r)))
	return subtle.ConstantTimeCompare(given[:], g.digest[:]) == 1
}

// credential is the bearer token (RFC 6750 §2.1) or the password of basic authentication (RFC 7617).
func credential(r *http.Request) string {
	if _, password, ok := r.BasicAuth(); ok {
		return password
	}
	const scheme = "Bearer "
	h := r.Header.Get("Authorization")
	if len(h) >= len(scheme) && strings.EqualFold(h[:len(scheme)], scheme) {
		return h[len(scheme):]
	}
	return ""
}
