package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"hawser/configs"
)

// program makes a command with one below it that ends with err, and a group.
func program(err error) *cobra.Command {
	root := &cobra.Command{Use: "prog"}
	work := &cobra.Command{Use: "work", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error { return err }}
	work.Flags().Int("n", 0, "number")
	must := &cobra.Command{Use: "must", RunE: work.RunE}
	must.Flags().String("x", "", "")
	_ = must.MarkFlagRequired("x")
	root.AddCommand(work, must, NewVersionCommand(), NewConfigCommand(func(*cobra.Command) (string, []string, error) {
		return "f.yaml", []string{"odd"}, err
	}))
	return root
}

// execute runs it and gives what it printed.
func execute(t *testing.T, root *cobra.Command, args ...string) (status int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	root.SetArgs(args)
	root.SetOut(&o)
	root.SetErr(&e)
	status = Execute(t.Context(), root)
	return status, o.String(), e.String()
}

func TestExitStatusAndMessage(t *testing.T) {
	config := &configs.Error{Problems: []configs.Problem{{Where: "f:1:2", Key: "k", Text: "a"}, {Text: "b"}}}
	tests := []struct {
		name   string
		err    error
		args   string
		status int
		errs   string
	}{
		{"fine", nil, "work", 0, ""},
		{"failed", errors.New("no luck"), "work", 1, "prog: no luck\n"},
		{"configuration", config, "work", 2, "prog: f:1:2: k: a\nprog: b\n"},
		{"configuration, wrapped", fmt.Errorf("start: %w", config), "work", 2, "prog: start: f:1:2: k: a\nprog: b\n"},
		{"usage found by the command", &UsageError{fs.ErrInvalid}, "work", 2, "prog: invalid argument\nsee: prog work --help\n"},
		{"own status", &ExitError{Status: 1}, "work", 1, ""},
		{"own status with text", &ExitError{Status: 3, Err: errors.New("x")}, "work", 3, "prog: x\n"},
		{"stray argument", nil, "work more", 2, "prog: unknown command \"more\" for \"prog work\"\nsee: prog work --help\n"},
		{"unknown flag", nil, "work --m 1", 2, "prog: unknown flag: --m\nsee: prog work --help\n"},
		{"flag of a wrong kind", nil, "work --n x", 2, `prog: invalid argument "x" for "--n" flag`},
		{"required flag", nil, "must", 2, "prog: required flag(s) \"x\" not set\nsee: prog must --help\n"},
		{"unknown command", nil, "walk", 2, "prog: unknown command \"walk\": did you mean \"work\"?\nsee: prog --help\n"},
		{"nothing", nil, "", 2, "prog: a command is missing: use one of "},
		{"unknown command of a group", nil, "config chek", 2, "prog: unknown command \"chek\": did you mean \"check\"?\nsee: prog config --help\n"},
		{"group alone", nil, "config", 2, "prog: a command is missing: use one of check\nsee: prog config --help\n"},
		{"check", nil, "config check", 0, "warning: odd\n"},
		{"check fails", config, "config check", 2, "warning: odd\nprog: f:1:2: k: a\nprog: b\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status, out, errs := execute(t, program(test.err), strings.Fields(test.args)...)
			if status != test.status || !strings.HasPrefix(errs, test.errs) || test.errs == "" && errs != "" {
				t.Errorf("status %d, want %d; errors\n%swant\n%s", status, test.status, errs, test.errs)
			}
			if want := test.name == "check"; want != (out == "f.yaml: ok\n") {
				t.Errorf("output %q", out)
			}
		})
	}
}

func TestVersionCommand(t *testing.T) {
	version = "1.2.3"
	defer func() { version = "" }()
	status, out, _ := execute(t, program(nil), "version")
	if status != 0 || !strings.HasPrefix(out, "prog 1.2.3 (go") {
		t.Errorf("status %d, output %q", status, out)
	}
	version = strings.Repeat("v", 100)
	if n := len(Version()); n != 64 {
		t.Errorf("a version of %d bytes, want at most 64", n)
	}
}

func TestVersionFromTheBuild(t *testing.T) {
	commit := []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef0123"}, {Key: "vcs.modified", Value: "true"}}
	tests := []struct {
		info *debug.BuildInfo
		want string
	}{
		{&debug.BuildInfo{Main: debug.Module{Version: "v1.0.0"}, Settings: commit}, "v1.0.0"},
		{&debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: commit}, "devel-0123456789ab-dirty"},
		{&debug.BuildInfo{Settings: commit[:1]}, "devel-0123456789ab"},
		{&debug.BuildInfo{}, ""},
	}
	for _, test := range tests {
		if got := describe(test.info); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
	if Version() == "" {
		t.Error("no version")
	}
}
