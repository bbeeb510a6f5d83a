package inbound

import (
	"errors"
	"net/http"

	"hawser/proxy/relay"
)

// refusal is why a stream could not be opened, in the words of every protocol.
type refusal struct {
	code     relay.Code // never CodeSucceeded
	noUplink bool
	text     string
}

// refusalOf reads what an Opener's error tells.
func refusalOf(err error) refusal {
	r := refusal{code: relay.CodeGeneralFailure, text: err.Error()}
	var coder interface {
		error
		ReplyCode() byte
	}
	if errors.As(err, &coder) && coder.ReplyCode() != byte(relay.CodeSucceeded) {
		r.code = relay.Code(coder.ReplyCode())
	}
	var uplink interface {
		error
		NoUplink() bool
	}
	if errors.As(err, &uplink) && uplink.NoUplink() {
		r.code, r.noUplink = relay.CodeNetworkUnreachable, true
	}
	return r
}

// status is the HTTP status (RFC 9110 §15) that says the same.
func (r refusal) status() int {
	switch {
	case r.noUplink:
		return http.StatusServiceUnavailable
	case r.code == relay.CodeNotAllowed:
		return http.StatusForbidden
	case r.code == relay.CodeTimeout:
		return http.StatusGatewayTimeout
	}
	return http.StatusBadGateway
}
