package configs

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
)

// keysOf lists the keys of a struct: the yaml tags of its fields, in order.
func keysOf(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		if key := t.Field(i).Tag.Get("yaml"); key != "" && key != "-" {
			keys = append(keys, key)
		}
	}
	return keys
}

// fieldOf finds the field of a key; the zero Value: there is none.
func fieldOf(v reflect.Value, key string) reflect.Value {
	for i := range v.NumField() {
		if tag := v.Type().Field(i).Tag.Get("yaml"); tag == key && key != "" && key != "-" {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}

// isObject says whether a type is written as an object with keys.
func isObject(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && len(keysOf(t)) > 0
}

// isSingle says whether a value reads itself from a single text; an object may do so too, as a short form.
func isSingle(v reflect.Value) bool {
	_, ok := v.Addr().Interface().(encoding.TextUnmarshaler)
	return ok
}

// walkKeys calls fn for each key below v, objects before what they hold, lists as one.
func walkKeys(key string, v reflect.Value, fn func(key string, v reflect.Value)) {
	for _, name := range keysOf(v.Type()) {
		field := fieldOf(v, name)
		fn(join(key, name), field)
		if isObject(field.Type()) {
			walkKeys(join(key, name), field, fn)
		}
	}
}

// suggest says what an unknown word may have been meant to be: the nearest known one, or all of them.
func suggest(word string, known []string) string {
	best, least := "", 3 // edits that a slip of the finger explains
	for _, k := range known {
		if n := edits(word, k); n < least && n < len(k) {
			best, least = k, n
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return "known are " + strings.Join(known, ", ")
}

// edits is the Levenshtein distance, in bytes.
func edits(a, b string) int {
	if len(a) > 64 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
