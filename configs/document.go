package configs

import (
	"encoding"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// document fills a configuration from its layers and remembers where each value came from, so that every problem,
// also one that a rule finds later, can be shown at its place. A key whose value could not be read keeps what the
// layer below said and is reported once.
type document struct {
	file     string            // how the file is called in messages; empty: there is none
	origins  map[string]string // path of a key → where its value stands
	problems []Problem
	broken   map[string]bool // keys with a problem
	Warnings []string
}

// newDocument begins with the defaults only.
func newDocument(file string) *document {
	return &document{file: file, origins: map[string]string{}, broken: map[string]bool{}}
}

// err gives what was found wrong, nil for nothing.
func (d *document) err() error {
	if len(d.problems) == 0 {
		return nil
	}
	return &Error{Problems: d.problems}
}

// complain records a problem of a key at a place of its own.
func (d *document) complain(where, key, format string, args ...any) {
	d.broken[key] = true
	d.problems = append(d.problems, Problem{Where: where, Key: key, Text: fmt.Sprintf(format, args...)})
}

// reject records that a rule forbids the value of a key; a key or a parent that has a problem already is left alone.
func (d *document) reject(key string, value any, allowed string) {
	d.blame(key, "%q is not allowed: %s", fmt.Sprint(value), allowed)
}

// blame records a rule's problem with a key.
func (d *document) blame(key, format string, args ...any) {
	for at := key; at != ""; at = parent(at) {
		if d.broken[at] {
			return
		}
	}
	d.complain(d.origin(key), key, format, args...)
}

// origin says where the value of a key stands, or the nearest key around it.
func (d *document) origin(key string) string {
	for at := key; at != ""; at = parent(at) {
		if where, ok := d.origins[at]; ok {
			return where
		}
	}
	return d.file
}

// parent gives the path around a path: "uplinks[1].carrier" → "uplinks[1]" → "uplinks" → "".
func parent(key string) string {
	return key[:max(strings.LastIndexAny(key, ".["), 0)]
}

// join gives the path of a key inside another.
func join(key, sub string) string {
	if key == "" {
		return sub
	}
	return key + "." + sub
}

var syntaxLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// yaml parses a text into the configuration at v. at turns a node into the place that messages name.
func (d *document) yaml(key string, text []byte, v reflect.Value, at func(line, column int) string) {
	var root yaml.Node
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	if err := decoder.Decode(&root); err != nil {
		if errors.Is(err, io.EOF) {
			d.complain(at(0, 0), key, "is empty")
			return
		}
		m := syntaxLine.FindStringSubmatch(err.Error())
		if m == nil {
			m = []string{"", "", err.Error()}
		}
		line, _ := strconv.Atoi(m[1])
		d.complain(at(line, 0), key, "not valid YAML: %s", m[2])
		return
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		d.complain(at(0, 0), key, "more than one YAML document: use one, without --- and ...")
		return
	}
	d.bind(key, root.Content[0], v, at)
}

// bind puts a node into v.
func (d *document) bind(key string, n *yaml.Node, v reflect.Value, at func(line, column int) string) {
	where := at(n.Line, n.Column)
	d.origins[key] = where
	object := isObject(v.Type())
	switch {
	case n.Kind == yaml.AliasNode: // a few of them can stand for more values than memory holds
		d.complain(where, key, "aliases are not read: write the value out")
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null":
		d.null(key, where, v)
	case n.Kind == yaml.MappingNode && object:
		d.mapping(key, n, v, at)
	case n.Kind == yaml.SequenceNode && v.Kind() == reflect.Slice:
		d.sequence(key, n, v, at)
	case n.Kind == yaml.ScalarNode && (isSingle(v) || !object && v.Kind() != reflect.Slice):
		d.scalar(key, where, n.Value, v)
	default:
		d.complain(where, key, "%s", shape(v.Type()))
	}
}

// shape says which kind of YAML a key wants.
func shape(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Slice:
		return "use a list, such as [a, b]"
	case isObject(t):
		return "use an object with the keys " + strings.Join(keysOf(t), ", ")
	}
	return "use a single value"
}

// null stands for "nothing": an empty list, an empty text, an object with every key at its default.
func (d *document) null(key, where string, v reflect.Value) {
	switch {
	case v.Kind() == reflect.Slice, v.Kind() == reflect.String, v.Type() == reflect.TypeFor[Secret]():
		v.SetZero()
	case isSingle(v) || !isObject(v.Type()):
		d.complain(where, key, "has no value")
	}
}

// mapping puts an object into a struct; keys are the yaml tags of its fields.
func (d *document) mapping(key string, n *yaml.Node, v reflect.Value, at func(line, column int) string) {
	seen := map[string]bool{}
	known := keysOf(v.Type())
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		where := at(n.Content[i].Line, n.Content[i].Column)
		field := fieldOf(v, name)
		switch {
		case !field.IsValid():
			d.complain(where, "", "unknown key %q: %s", join(key, name), suggest(name, known))
		case seen[name]:
			d.complain(where, join(key, name), "stands there twice: keep one")
		default:
			d.bind(join(key, name), n.Content[i+1], field, at)
		}
		seen[name] = true
	}
}

// sequence puts a list into a slice, which it replaces whole.
func (d *document) sequence(key string, n *yaml.Node, v reflect.Value, at func(line, column int) string) {
	list := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		d.bind(fmt.Sprintf("%s[%d]", key, i), item, list.Index(i), at)
	}
	v.Set(list)
}

// scalar puts a single value into v and says what is allowed when it does not fit.
func (d *document) scalar(key, where, text string, v reflect.Value) {
	d.origins[key] = where
	if allowed := setScalar(text, v); allowed != "" {
		d.complain(where, key, "%q is not allowed: %s", text, allowed)
	}
}

// setScalar sets v; a text that does not fit is answered with what is allowed.
func setScalar(text string, v reflect.Value) (allowed string) {
	var err error
	switch p := v.Addr().Interface().(type) {
	case *string:
		*p = text
	case *bool:
		*p = text == "true"
		if text != "true" && text != "false" {
			return "use true or false"
		}
	case *int:
		if *p, err = strconv.Atoi(text); err != nil {
			return "use a whole number"
		}
	case *uint16:
		n, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return "use a port number, 0 to 65535"
		}
		*p = uint16(n)
	case *time.Duration:
		if *p, err = time.ParseDuration(text); err != nil {
			return "use a duration with its unit, such as 500ms, 60s or 5m"
		}
	case *netip.Addr:
		a, err := netip.ParseAddr(text)
		if err != nil {
			return "use an IP address, such as 192.0.2.7"
		}
		*p = a
	case *netip.Prefix:
		return setPrefix(text, p)
	case encoding.TextUnmarshaler:
		if err := p.UnmarshalText([]byte(text)); err != nil {
			return err.Error()
		}
	default:
		panic("BUG: no rule for a value of type " + v.Type().String())
	}
	return ""
}

// setPrefix reads a CIDR; a single address is a network of its own.
func setPrefix(text string, p *netip.Prefix) (allowed string) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		*p = netip.PrefixFrom(a, a.BitLen())
		return ""
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return "use a network in CIDR form, such as 192.168.1.0/24 or fd00::/8"
	}
	if prefix != prefix.Masked() {
		return "bits are set behind the prefix: use " + prefix.Masked().String()
	}
	*p = prefix
	return ""
}
