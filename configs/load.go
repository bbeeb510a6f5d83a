package configs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"reflect"
	"strings"
)

// Options is what the command line says about configuration.
type Options struct {
	File   string    // -c; empty: look for it
	Invite string    // --invite: an invite, "-" for standard input; empty: look for it in the environment
	Stdin  io.Reader // for Invite "-"
	Flags  []Flag    // override everything else
}

// LoadClient reads the client's configuration: defaults, file, environment, flags. An invite, from Options or from
// HAWSER_INVITE or HAWSER_INVITE_FILE, takes the file's place; nothing is written. When -c or HAWSER_CONFIG name a
// file beside it, the file is read too, and the invite overrides its server and identity. Errors that the user can
// mend are of type *Error.
func LoadClient(p Place, o Options) (*Client, error) {
	invite, err := FindInvite(p, o.Invite, o.Stdin)
	if err != nil {
		return nil, err
	}
	file := p.namedFile(o.File)
	if invite == nil {
		if file, err = p.find(o.File, "client.yaml"); err != nil {
			return nil, err
		}
	}
	return loadClient(p, o, file, invite)
}

// ClientFromInvite makes a client's configuration from an invite, environment and flags, in memory.
func ClientFromInvite(p Place, o Options, invite Invite) (*Client, error) {
	return loadClient(p, o, p.namedFile(o.File), &invite)
}

// loadClient puts the layers together; file may be empty and invite nil.
func loadClient(p Place, o Options, file string, invite *Invite) (*Client, error) {
	c := DefaultClient()
	c.File = file
	d := newDocument(file)
	v := reflect.ValueOf(&c).Elem()
	if err := d.readFile(file, v); err != nil {
		return nil, err
	}
	if invite != nil {
		c.accept(d, invite)
	}
	d.environment(p, v)
	d.flags(o.Flags, v)
	c.check(d)
	c.settle(p)
	c.Warnings = d.Warnings
	if err := d.err(); err != nil {
		return nil, err
	}
	return &c, nil
}

// accept puts the layer of an invite over the configuration.
func (c *Client) accept(d *document, invite *Invite) {
	c.key = invite.Key
	c.Server = Remote{
		Addresses: invite.Addresses, RawPort: invite.RawPort, PlainPort: invite.PlainPort, PublicKey: invite.Server,
	}
	d.origins["server"] = "invite"
}

// LoadServer reads the server's configuration: defaults, file, environment, flags. Errors that the user can mend are
// of type *Error.
func LoadServer(p Place, o Options) (*Server, error) {
	file, err := p.find(o.File, "server.yaml")
	if err != nil {
		return nil, err
	}
	text, err := readFile(file)
	if err != nil {
		return nil, err
	}
	return loadServer(p, o, file, text)
}

// loadServer puts the layers over a file's text.
func loadServer(p Place, o Options, file string, text []byte) (*Server, error) {
	s := DefaultServer()
	s.File = file
	d := newDocument(file)
	v := reflect.ValueOf(&s).Elem()
	d.yaml("", text, v, d.at)
	d.environment(p, v)
	d.flags(o.Flags, v)
	s.check(d)
	s.settle()
	s.clientsFrom = d.origin("clients")
	s.Warnings = d.Warnings
	if err := d.err(); err != nil {
		return nil, err
	}
	return &s, nil
}

// readFile puts the layer of the file over the configuration at v; no file, no layer.
func (d *document) readFile(file string, v reflect.Value) error {
	if file == "" {
		return nil
	}
	text, err := readFile(file)
	if err != nil {
		return err
	}
	d.yaml("", text, v, d.at)
	return nil
}

// at names a place in the file: "client.yaml:12:5".
func (d *document) at(line, column int) string {
	switch {
	case line == 0:
		return d.file
	case column == 0:
		return fmt.Sprintf("%s:%d", d.file, line)
	}
	return fmt.Sprintf("%s:%d:%d", d.file, line, column)
}

// ClientAdmin finds the admin listener of a client on this machine. Without any configuration it is the default one
// under the environment, so that status works beside "run --invite" and demo.
func ClientAdmin(p Place, o Options) (Admin, error) {
	c, err := LoadClient(p, o)
	if err == nil {
		return c.AdminListener(), nil
	}
	if p.namedFile(o.File) != "" || !errors.Is(err, fs.ErrNotExist) {
		return Admin{}, err
	}
	bare := DefaultClient()
	d := newDocument("")
	d.environment(p, reflect.ValueOf(&bare).Elem())
	d.flags(o.Flags, reflect.ValueOf(&bare).Elem())
	bare.AdminListener().check(d)
	return bare.AdminListener(), d.err()
}

// ServerAdmin finds the admin listener of a server on this machine.
func ServerAdmin(p Place, o Options) (Admin, error) {
	s, err := LoadServer(p, o)
	if err != nil {
		return Admin{}, err
	}
	return s.AdminListener(), nil
}

// FindInvite looks for an invite: the text given ("-": standard input), else HAWSER_INVITE, else the file that
// HAWSER_INVITE_FILE names. There may be none: nil. Errors never hold the text.
func FindInvite(p Place, text string, stdin io.Reader) (*Invite, error) {
	switch {
	case text == "-" && stdin != nil:
		b, err := io.ReadAll(io.LimitReader(stdin, maxInviteText+1))
		if err != nil {
			return nil, fmt.Errorf("cannot read the invite from standard input: %w", err)
		}
		text = string(b)
		if strings.TrimSpace(text) == "" {
			return nil, fault("invite", "standard input is empty: pipe the line that hawser-server invite prints")
		}
	case text == "":
		var err error
		if text, _, err = p.value("HAWSER_INVITE"); err != nil {
			return nil, fault("", "%s", err)
		}
		if strings.TrimSpace(text) == "" {
			return nil, p.emptyInvite()
		}
	}
	invite, err := ParseInvite(text)
	if err != nil {
		return nil, err
	}
	return &invite, nil
}

// emptyInvite tells an invite that is not there from a file that should hold one.
func (p Place) emptyInvite() error {
	if file, _ := p.variable("HAWSER_INVITE_FILE"); file != "" {
		return fault(file, "is empty: HAWSER_INVITE_FILE must name a file that holds an invite")
	}
	return nil
}
