package configs

import (
	"fmt"
	"reflect"
	"strings"
)

// envPrefix begins every variable of ours.
const envPrefix = "HAWSER_"

// otherVariables are ours without being keys of the configuration.
var otherVariables = []string{"HAWSER_CONFIG", "HAWSER_INVITE", "HAWSER_INVITE_FILE"}

// variableOf gives the variable of a key: "server.raw_port" → "HAWSER_SERVER_RAW_PORT".
func variableOf(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// environment puts the layer of the environment over the configuration at v, and warns about variables that look
// like ours and are not: they may belong to another version, so they are no error.
func (d *document) environment(p Place, v reflect.Value) {
	known := append([]string(nil), otherVariables...)
	walkKeys("", v, func(key string, field reflect.Value) {
		name := variableOf(key)
		known = append(known, name)
		text, ok, err := p.value(name)
		if err != nil {
			d.complain(name, key, "%s", err)
		} else if ok {
			d.text(key, name, text, field)
		}
	})
	isKnown := map[string]bool{}
	for _, name := range known {
		isKnown[name] = true
		isKnown[name+"_FILE"] = true
	}
	for _, pair := range p.Environ {
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, envPrefix) && !isKnown[name] {
			d.Warnings = append(d.Warnings, fmt.Sprintf("environment variable %s is not known and does nothing: %s", name, suggestVariable(name, known)))
		}
	}
}

// suggestVariable is suggest without the list of all, which would be long.
func suggestVariable(name string, known []string) string {
	if s := suggest(name, known); strings.HasPrefix(s, "did") {
		return s
	}
	return "names are HAWSER_ and the key's path in upper case, such as HAWSER_LOG_LEVEL"
}

// value reads a variable, or the file that its …_FILE twin names (without the line end at its end).
func (p Place) value(name string) (text string, ok bool, err error) {
	text, ok = p.variable(name)
	file, inFile := p.variable(name + "_FILE")
	if !inFile || file == "" {
		return text, ok, nil
	}
	if ok && text != "" {
		return "", false, fmt.Errorf("both %s and %s_FILE are set: keep one", name, name)
	}
	b, err := readFile(p.path(file))
	if err != nil {
		return "", false, fmt.Errorf("%s_FILE: %w", name, err)
	}
	return strings.TrimRight(string(b), "\r\n"), true, nil
}

// text puts the text of a variable or a flag into v: lists are comma-separated, objects and lists of objects YAML
// (a list of objects that have a short form may also be a comma-separated list of those).
func (d *document) text(key, where, text string, v reflect.Value) {
	at := func(int, int) string { return where }
	text = strings.TrimSpace(text)
	d.origins[key] = where
	switch {
	case v.Kind() == reflect.Slice && isObject(v.Type().Elem()) && strings.IndexAny(text, "[{-") == 0:
		d.yaml(key, []byte(text), v, at)
	case v.Kind() == reflect.Slice && text == "":
		v.SetZero()
	case v.Kind() == reflect.Slice:
		d.list(key, where, strings.Split(text, ","), v)
	case isObject(v.Type()) && text != "":
		d.yaml(key, []byte(text), v, at)
	case !isObject(v.Type()):
		d.scalar(key, where, text, v)
	}
}

// list puts the texts of a variable or of a flag's values into a slice, which it replaces whole.
func (d *document) list(key, where string, texts []string, v reflect.Value) {
	list := reflect.MakeSlice(v.Type(), len(texts), len(texts))
	for i, text := range texts {
		item := fmt.Sprintf("%s[%d]", key, i)
		if isObject(list.Index(i).Type()) && !isSingle(list.Index(i)) {
			d.complain(where, key, "use a YAML list of objects with the keys %s", strings.Join(keysOf(list.Index(i).Type()), ", "))
			return
		}
		d.scalar(item, where, strings.TrimSpace(text), list.Index(i))
	}
	v.Set(list)
}

// Flag is a value from the command line that overrides a key.
type Flag struct {
	Name   string   // as the user types it: "--listen"
	Key    string   // path of the key: "listen"
	Values []string // one for each item of a list; a key that is no list takes the first
}

// flags puts the layer of the command line over the configuration at v; a key that does not exist is a bug.
func (d *document) flags(flags []Flag, v reflect.Value) {
	for _, f := range flags {
		var target reflect.Value
		walkKeys("", v, func(key string, field reflect.Value) {
			if key == f.Key {
				target = field
			}
		})
		switch {
		case !target.IsValid():
			panic("BUG: flag for an unknown key " + f.Key)
		case target.Kind() == reflect.Slice:
			d.origins[f.Key] = f.Name
			d.list(f.Key, f.Name, f.Values, target)
		case len(f.Values) > 0:
			d.text(f.Key, f.Name, f.Values[0], target)
		}
	}
}
