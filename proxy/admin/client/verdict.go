package client

import (
	"fmt"

	"hawser/proxy/admin"
)

// Degraded judges a status as the command's exit status does, and says why; empty: all is well. A client is degraded
// when an uplink that it should use does not carry data as it should, or when no session is established. A server
// waits for whoever comes, so only its own health counts, which /healthz tells.
func Degraded(s admin.Status) string {
	if s.Role != admin.RoleClient {
		return ""
	}
	for _, u := range s.Uplinks {
		if u.State != admin.UplinkUp && u.State != admin.UplinkDisabled {
			return fmt.Sprintf("uplink %s is %s%s", printable(u.Name), printable(string(u.State)), because(u.Reason))
		}
	}
	for _, x := range s.Sessions {
		if x.State == admin.SessionEstablished {
			return ""
		}
	}
	return "no session is established"
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + printable(reason)
}
