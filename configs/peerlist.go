package configs

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// addPeer gives the text of a server's file with one client more. The text is spliced where the list has its usual
// form; the result is parsed, and when it is not exactly the old file and the new client, the file is written anew
// from its nodes, which keeps comments but not the layout.
func addPeer(text []byte, old []Peer, peer Peer) ([]byte, error) {
	want := append(slices.Clone(old), peer)
	item := fmt.Sprintf("- {name: %s, public_key: %q}", yamlName(peer.Name), peer.PublicKey)
	return changePeers(text, want,
		func(root, list *yaml.Node, l *lines) bool { return spliceIn(root, list, l, item) },
		func(list *yaml.Node) error {
			var n yaml.Node
			if err := yaml.Unmarshal([]byte(item), &n); err != nil {
				return err
			}
			list.Content = append(list.Content, n.Content[0].Content[0])
			return nil
		})
}

// removePeer gives the text of a server's file without the client at an index.
func removePeer(text []byte, old []Peer, at int) ([]byte, error) {
	want := slices.Delete(slices.Clone(old), at, at+1)
	return changePeers(text, want,
		func(_, list *yaml.Node, l *lines) bool { return spliceOut(list, l, at) },
		func(list *yaml.Node) error {
			list.Content = slices.Delete(list.Content, at, at+1)
			return nil
		})
}

// yamlName quotes a name that YAML would read as something else than a text ("1", "true", "null").
func yamlName(name string) string {
	var v any
	if err := yaml.Unmarshal([]byte(name), &v); err == nil && v == any(name) {
		return name
	}
	return `"` + name + `"`
}

// changePeers tries splice on the text, and change on the nodes when that does not lead to the list wanted.
func changePeers(text []byte, want []Peer, splice func(root, list *yaml.Node, l *lines) bool, change func(list *yaml.Node) error) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	root := doc.Content[0]
	list := valueOf(root, "clients")
	l := splitLines(text)
	if splice(root, list, l) && sameBut(text, l.text(), want) {
		return l.text(), nil
	}
	if list == nil {
		list = &yaml.Node{}
		root.Content = append(root.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: "clients"}, list)
	}
	if list.Kind != yaml.SequenceNode {
		comments := list.LineComment
		*list = yaml.Node{Kind: yaml.SequenceNode, LineComment: comments}
	}
	if err := change(list); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(&doc); err != nil {
		return nil, err
	}
	if !sameBut(text, b.Bytes(), want) {
		return nil, fmt.Errorf("cannot edit the list of clients in its present form: write it as a block list, one client a line")
	}
	return b.Bytes(), nil
}

// valueOf finds the value of a key in a mapping, nil: there is none.
func valueOf(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// sameBut says whether b parses to what a parses to, with the list of clients wanted.
func sameBut(a, b []byte, want []Peer) bool {
	var before, after map[string]any
	if yaml.Unmarshal(a, &before) != nil || yaml.Unmarshal(b, &after) != nil {
		return false
	}
	delete(before, "clients")
	delete(after, "clients")
	d, s := newDocument(""), DefaultServer()
	d.yaml("", b, reflect.ValueOf(&s).Elem(), d.at)
	return reflect.DeepEqual(before, after) && d.err() == nil && slices.Equal(s.Clients, want)
}

// lines is a text by lines, each with its end.
type lines struct {
	list []string
	end  string // what ends a line here
}

// splitLines splits a text; its last line gets an end.
func splitLines(text []byte) *lines {
	l := &lines{list: strings.SplitAfter(string(text), "\n"), end: "\n"}
	if strings.HasSuffix(l.list[0], "\r\n") {
		l.end = "\r\n"
	}
	if last := len(l.list) - 1; l.list[last] == "" {
		l.list = l.list[:last]
	} else {
		l.list[last] += l.end
	}
	return l
}

// insert puts a line behind the first n, indented to a column that begins with 1.
func (l *lines) insert(n, column int, s string) {
	l.list = slices.Insert(l.list, n, strings.Repeat(" ", column-1)+s+l.end)
}

// text joins the lines.
func (l *lines) text() []byte { return []byte(strings.Join(l.list, "")) }

// spliceIn adds an item to the list of clients in the text; false: its form is not one that it knows.
func spliceIn(root, list *yaml.Node, l *lines, item string) bool {
	switch {
	case list == nil:
		l.insert(len(l.list), root.Column, "clients:")
		l.insert(len(l.list), root.Column+2, item)
	case list.Kind == yaml.ScalarNode && list.Value == "": // "clients:" with nothing
		l.insert(keyLine(root, "clients"), root.Column+2, item)
	case list.Kind == yaml.SequenceNode && len(list.Content) == 0: // "clients: []"
		line := &l.list[list.Line-1]
		head, tail := (*line)[:list.Column-1], (*line)[list.Column-1:]
		if !strings.HasPrefix(tail, "[]") {
			return false
		}
		*line = head + strings.TrimPrefix(tail, "[]")
		if strings.TrimSpace(tail) == "[]" {
			*line = strings.TrimRight(head, " ") + l.end
		}
		l.insert(list.Line, root.Column+2, item)
	case list.Kind == yaml.SequenceNode && list.Style&yaml.FlowStyle == 0:
		l.insert(lastLine(list), list.Column, item)
	default:
		return false
	}
	return true
}

// spliceOut removes the item at an index from the list in the text; false: its form is not one that it knows.
func spliceOut(list *yaml.Node, l *lines, at int) bool {
	if list == nil || list.Kind != yaml.SequenceNode || list.Style&yaml.FlowStyle != 0 || at >= len(list.Content) {
		return false
	}
	item := list.Content[at]
	first, last := item.Line, lastLine(item)
	if last > len(l.list) || !strings.HasPrefix(strings.TrimLeft(l.list[first-1], " "), "-") {
		return false
	}
	l.list = slices.Delete(l.list, first-1, last)
	return true
}

// keyLine is the line of a key in a mapping.
func keyLine(mapping *yaml.Node, key string) int {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i].Line
		}
	}
	panic("BUG: no key " + key)
}

// lastLine is the last line on which a part of a node begins.
func lastLine(n *yaml.Node) int {
	last := n.Line
	for _, part := range n.Content {
		last = max(last, lastLine(part))
	}
	return last
}
