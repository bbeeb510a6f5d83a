package xray

import (
	"encoding/json"
	"net/netip"
)

// Config of a pair. Pairs on the same hosts need ports of their own.
type Config struct {
	SOCKS  uint16 // the client's port on 127.0.0.1
	Server uint16 // the server's port
	Mux    int    // how many streams share a connection (1–128); 0: each stream has one of its own
}

// Ports of the first pair on its hosts.
const (
	DefaultSOCKS  = 1081
	DefaultServer = 8388
)

// key of 16 bytes for 2022-blake3-aes-128-gcm. Nothing secret passes.
const key = "AAECAwQFBgcICQoLDA0ODw=="

const method = "2022-blake3-aes-128-gcm"

// object is a JSON object.
type object = map[string]any

// sockopt lets the kernel use Multipath TCP.
var sockopt = object{"sockopt": object{"tcpMptcp": true}}

// client is SOCKS in, shadowsocks out.
func (c Config) client(server netip.Addr) ([]byte, error) {
	out := object{
		"protocol":       "shadowsocks",
		"settings":       object{"servers": []object{{"address": server.String(), "port": c.Server, "method": method, "password": key}}},
		"streamSettings": sockopt,
	}
	if c.Mux > 0 {
		out["mux"] = object{"enabled": true, "concurrency": c.Mux}
	}
	return json.Marshal(object{
		"log":       object{"loglevel": "none", "access": "none"},
		"inbounds":  []object{{"listen": "127.0.0.1", "port": c.SOCKS, "protocol": "socks", "settings": object{"auth": "noauth", "udp": false}}},
		"outbounds": []object{out},
	})
}

// server is shadowsocks in, out to wherever a stream wants.
func (c Config) server(listen netip.Addr) ([]byte, error) {
	return json.Marshal(object{
		"log": object{"loglevel": "none", "access": "none"},
		"inbounds": []object{{
			"listen": listen.String(), "port": c.Server, "protocol": "shadowsocks",
			"settings":       object{"method": method, "password": key, "network": "tcp"},
			"streamSettings": sockopt,
		}},
		"outbounds": []object{{"protocol": "freedom"}},
	})
}
