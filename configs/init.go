package configs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"text/template"

	_ "embed"
)

// Init is what "init" and "run --init" are told about a new server.
type Init struct {
	Addresses []string // by which clients reach it: at least one
	RawPort   uint16   // 0: the default, 7443
	PlainPort uint16   // 0: the default, 7444
	Allow     []string // CIDRs for egress.allow
}

// serverKeyComment stands above the server's private key.
const serverKeyComment = "private key of a hawser server: keep it secret"

//go:embed server.yaml.tmpl
var serverTemplate string

// InitServer writes server.yaml and server.key into a directory, the default one when dir is empty, makes it if need
// be, and gives the paths. It never overwrites: when either exists, neither is written and the error wraps
// fs.ErrExist.
func InitServer(p Place, dir string, in Init) ([]string, error) {
	if dir == "" {
		dir = p.DefaultDir()
	}
	dir = p.path(dir)
	in.fromEnvironment(p)
	file, key := filepath.Join(dir, "server.yaml"), filepath.Join(dir, "server.key")
	text, err := in.render(file)
	if err != nil {
		return nil, err
	}
	for _, path := range []string{file, key} {
		if err := refuseExisting(path); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return writePair(key, NewPrivateKey(), serverKeyComment, file, text)
}

// EnsureServer makes what "run --init" finds missing: the server's file, where -c and HAWSER_CONFIG or the search
// say, else in the default directory, and the key that it names. It never overwrites, and gives the paths that it
// wrote. Without a file, in must hold an address.
func EnsureServer(p Place, o Options, in Init) (created []string, err error) {
	file, err := p.find(o.File, "server.yaml")
	if errors.Is(err, fs.ErrNotExist) {
		file = filepath.Join(p.DefaultDir(), "server.yaml")
	} else if err != nil {
		return nil, err
	}
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		if err := in.create(p, file); err != nil {
			return nil, err
		}
		created = append(created, file)
	}
	s, err := LoadServer(p, Options{File: file, Flags: o.Flags})
	if err != nil {
		return created, err
	}
	err = WriteKeyFile(s.Identity, NewPrivateKey(), serverKeyComment)
	switch {
	case errors.Is(err, fs.ErrExist):
		return created, nil
	case err != nil:
		return created, err
	}
	return append(created, s.Identity), nil
}

// create writes a new server's file.
func (in Init) create(p Place, file string) error {
	in.fromEnvironment(p)
	text, err := in.render(file)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return createFile(file, text)
}

// fromEnvironment takes the addresses from their variable when no flag names any.
func (in *Init) fromEnvironment(p Place) {
	if len(in.Addresses) > 0 {
		return
	}
	s := DefaultServer()
	newDocument("").environment(p, reflect.ValueOf(&s).Elem()) // its faults are reported when the file is loaded
	in.Addresses = s.Public.Addresses
}

// render gives the text of a new server.yaml and makes sure that it loads.
func (in Init) render(file string) ([]byte, error) {
	if len(in.Addresses) == 0 {
		return nil, fault("--address", "missing: name the address or host name by which clients reach this server")
	}
	defaults := DefaultServer()
	if in.RawPort == 0 {
		in.RawPort = defaults.Public.RawPort
	}
	if in.PlainPort == 0 {
		in.PlainPort = defaults.Public.PlainPort
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	text, err := fill("server.yaml", serverTemplate, in)
	if err != nil {
		return nil, err
	}
	if _, err := loadServer(Place{}, Options{}, file, text); err != nil {
		return nil, err
	}
	return text, nil
}

// check applies the rules to what came from flags, so that messages name these and not a file that is not there.
func (in Init) check() error {
	d := newDocument("")
	s := DefaultServer()
	s.Public = Public{Addresses: in.Addresses, RawPort: in.RawPort, PlainPort: in.PlainPort}
	d.origins["public.addresses"] = "--address"
	d.origins["public.plain_port"] = "--plain-port"
	d.flags([]Flag{{Name: "--allow", Key: "egress.allow", Values: in.Allow}}, reflect.ValueOf(&s).Elem())
	s.check(d)
	return d.err()
}

// refuseExisting is an error when a path exists.
func refuseExisting(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s: %w: it is not overwritten", path, fs.ErrExist)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// writePair creates a key file and a configuration file, or neither, and gives the paths.
func writePair(keyPath string, key PrivateKey, comment, file string, text []byte) ([]string, error) {
	if err := WriteKeyFile(keyPath, key, comment); err != nil {
		return nil, err
	}
	if err := createFile(file, text); err != nil {
		return nil, errors.Join(err, os.Remove(keyPath))
	}
	return []string{file, keyPath}, nil
}

// fill executes a template of ours.
func fill(name, text string, data any) ([]byte, error) {
	t, err := template.New(name).Funcs(template.FuncMap{"list": quoteList}).Parse(text)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	var b strings.Builder
	if err := t.Execute(&b, data); err != nil {
		return nil, err
	}
	return []byte(b.String()), nil
}

// quoteList writes texts, which the rules have let pass, as a YAML list in one line.
func quoteList(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = fmt.Sprintf("%q", s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
