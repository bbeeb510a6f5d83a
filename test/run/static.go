package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// format fails when gofmt would change a file.
func format(r *run) error {
	files, err := r.output(nil, "gofmt", "-l", ".")
	if err != nil {
		return err
	}
	if files != "" {
		return fmt.Errorf("not formatted, run gofmt -w on:\n%s", files)
	}
	r.pass()
	return nil
}

// vet looks at the code of every system we build for: most of it compiles on one of them only.
func vet(r *run) error {
	for _, system := range []string{"linux", "darwin", "windows"} {
		// Without cgo the standard library builds the same way everywhere, and no C compiler for the system is asked for.
		if err := r.command([]string{"GOOS=" + system, "CGO_ENABLED=0"}, "go", "vet", "./..."); err != nil {
			return err
		}
		r.pass()
	}
	return nil
}

// lint runs the pinned golangci-lint with .golangci.yml.
func lint(r *run) error {
	if err := r.command(nil, filepath.Join("test", "tools", "bin", "golangci-lint"), "run", "./..."); err != nil {
		return err
	}
	r.pass()
	return nil
}

// crossBuilds links both commands for the systems that no test runs on.
func crossBuilds(r *run) error {
	commands, err := r.output(nil, "go", "list", "./cmd/...")
	if err != nil {
		return err
	}
	if strings.TrimSpace(commands) == "" {
		return fmt.Errorf("no command was found below cmd")
	}
	dir, err := os.MkdirTemp("", "hawser-cross-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, target := range []string{"darwin/arm64", "windows/amd64", "linux/arm64"} {
		system, machine, _ := strings.Cut(target, "/")
		env := []string{"GOOS=" + system, "GOARCH=" + machine, "CGO_ENABLED=0"}
		if err := r.command(env, "go", "build", "-o", dir+string(filepath.Separator), "./cmd/..."); err != nil {
			return err
		}
		r.pass()
	}
	return nil
}
