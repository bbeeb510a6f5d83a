package cli

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker: -ldflags "-X hawser/proxy/cli.version=1.2.3".
var version string

// Version gives the program's version: what the linker set, else the module's version, else the commit that it was
// built from, else "devel". It has at most 64 bytes, as it travels in the session's hello and welcome.
func Version() string {
	v := version
	if info, ok := debug.ReadBuildInfo(); v == "" && ok {
		v = describe(info)
	}
	if v == "" {
		v = "devel"
	}
	return v[:min(len(v), 64)]
}

// describe finds a version in what the Go tool has recorded; empty: there is none.
func describe(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	var revision, dirty string
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(len(s.Value), 12)]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "-dirty"
		}
	}
	if revision == "" {
		return ""
	}
	return "devel-" + revision + dirty
}

// NewVersionCommand makes the command "version".
func NewVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return Printf(c, "%s %s (%s, %s/%s)\n", c.Root().Name(), Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
		},
	}
}
