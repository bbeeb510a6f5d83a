package configs

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"

	_ "embed"
)

// Join is what "join" is told.
type Join struct {
	Invite  string    // the invite, "-" for standard input, empty for HAWSER_INVITE or HAWSER_INVITE_FILE
	Stdin   io.Reader // for "-"
	Dir     string    // where to write; empty: the default directory
	Uplinks []string  // interfaces or source addresses; empty: found out at run time
	Listen  []string  // empty: the default
	Force   bool      // overwrite
}

//go:embed client.yaml.tmpl
var clientTemplate string

// JoinClient turns an invite into client.yaml and client.key, offline, and gives the paths. Without Force it never
// overwrites: when either exists, neither is written and the error wraps fs.ErrExist.
func JoinClient(p Place, j Join) ([]string, error) {
	invite, err := FindInvite(p, j.Invite, j.Stdin)
	if err != nil {
		return nil, err
	}
	if invite == nil {
		return nil, fault("invite", "is missing: give it as an argument, on standard input (-), in HAWSER_INVITE, or in the file that HAWSER_INVITE_FILE names")
	}
	dir := p.DefaultDir()
	if j.Dir != "" {
		dir = p.path(j.Dir)
	}
	file, key := filepath.Join(dir, "client.yaml"), filepath.Join(dir, "client.key")
	text, err := j.render(invite)
	if err != nil {
		return nil, err
	}
	comment := "private key of hawser client " + invite.Name + ": keep it secret"
	if j.Force {
		return overwritePair(key, invite.Key, comment, file, text)
	}
	for _, path := range []string{file, key} {
		if err := refuseExisting(path); err != nil {
			return nil, fmt.Errorf("%w: use --force", err)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return writePair(key, invite.Key, comment, file, text)
}

// render gives the text of a new client.yaml and makes sure that it loads.
func (j Join) render(invite *Invite) ([]byte, error) {
	c := DefaultClient()
	d := newDocument("")
	c.accept(d, invite)
	var flags []Flag
	if len(j.Listen) > 0 {
		flags = append(flags, Flag{Name: "--listen", Key: "listen", Values: j.Listen})
	}
	if len(j.Uplinks) > 0 {
		flags = append(flags, Flag{Name: "--uplink", Key: "uplinks", Values: j.Uplinks})
	}
	d.flags(flags, reflect.ValueOf(&c).Elem())
	c.check(d)
	if err := d.err(); err != nil {
		return nil, err
	}
	text, err := fill("client.yaml", clientTemplate, struct {
		*Client
		Name string
	}{&c, invite.Name})
	if err != nil {
		return nil, err
	}
	var again Client
	check := newDocument("client.yaml")
	check.yaml("", text, reflect.ValueOf(&again).Elem(), check.at)
	return text, check.err()
}

// overwritePair writes both files in one step each, in place of what may be there.
func overwritePair(keyPath string, key PrivateKey, comment, file string, text []byte) ([]string, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, err
	}
	if err := replaceFile(keyPath, formatKeyFile(key, comment), nil); err != nil {
		return nil, err
	}
	return []string{file, keyPath}, replaceFile(file, text, nil)
}
