package configs

import (
	"fmt"
	"strings"
)

// Problem is one fault in what the user has written.
type Problem struct {
	Where string // "client.yaml:12:5", "HAWSER_LISTEN", "--listen" or a path; empty: nowhere in particular
	Key   string // path of the key, such as "sessions.min"; empty: no key
	Text  string // what is wrong and what to do
	Err   error  // the cause, nil if there is none beyond Text
}

// String gives the problem as one line.
func (p Problem) String() string {
	parts := make([]string, 0, 3)
	for _, s := range []string{p.Where, p.Key, p.Text} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ": ")
}

// Error says that configuration, a key file or an invite is at fault, and not the program or the network: programs
// end with status 2. It holds at least one problem.
type Error struct {
	Problems []Problem
}

// Error gives one line for each problem.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the causes.
func (e *Error) Unwrap() []error {
	var causes []error
	for _, p := range e.Problems {
		if p.Err != nil {
			causes = append(causes, p.Err)
		}
	}
	return causes
}

// fault makes an Error of one problem.
func fault(where, format string, args ...any) *Error {
	return &Error{Problems: []Problem{{Where: where, Text: fmt.Sprintf(format, args...)}}}
}

// faultOf makes an Error of one problem with a cause; an error of fs already names its path.
func faultOf(err error, hint string) *Error {
	text := err.Error()
	if hint != "" {
		text += ": " + hint
	}
	return &Error{Problems: []Problem{{Text: text, Err: err}}}
}
