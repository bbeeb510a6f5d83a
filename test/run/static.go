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

// foreign are the systems that most machines do not run. Without cgo the standard library builds the same way
// everywhere, and no C compiler for the system is asked for.
var foreign = [][]string{
	{"GOOS=darwin", "GOARCH=arm64", "CGO_ENABLED=0"},
	{"GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0"},
}

// vet looks at the code of every system we build for: some of it compiles on one of them only.
func vet(r *run) error {
	for _, env := range append([][]string{{"GOOS=linux"}}, foreign...) {
		if err := r.command(env, "go", "vet", "./..."); err != nil {
			return fmt.Errorf("with %s: %w", env[0], err)
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

// routers have processors whose int has 32 bits, which constants and sizes can overflow. Only the programs are built for
// them: vet would want the same of tests.
var routers = []string{"GOOS=linux", "GOARCH=arm", "CGO_ENABLED=0"}

// crossBuilds links both commands for the systems that no test runs on, and compiles all packages for routers.
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
	if err := r.command(routers, "go", "build", "./..."); err != nil {
		return fmt.Errorf("with %s %s: %w", routers[0], routers[1], err)
	}
	for _, env := range append([][]string{routers, {"GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0"}}, foreign...) {
		if err := r.command(env, "go", "build", "-o", dir+string(filepath.Separator), "./cmd/..."); err != nil {
			return fmt.Errorf("with %s %s: %w", env[0], env[1], err)
		}
		r.pass()
	}
	return nil
}
