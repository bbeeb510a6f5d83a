package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// need is a program that tests call, the Debian package that brings it, and what it is for.
type need struct{ program, pkg, use string }

// needs lists the programs beyond Go that tests use.
var needs = []need{
	{"gcc", "gcc", "the race detector"},
	{"ip", "iproute2", "network namespaces"},
	{"curl", "curl", "a real client of the proxy"},
}

// setUp installs missing packages where it may, and builds the pinned tools. What is missing and cannot be installed
// is named with its remedy; the tests that want it skip themselves.
func setUp(r *run) error {
	missing := missingNeeds(needs, exec.LookPath)
	if len(missing) == 0 {
		return buildTools(r)
	}
	for _, n := range missing {
		fmt.Fprintf(r.out, "   missing: %s (Debian package %s), for %s\n", n.program, n.pkg, n.use)
	}
	install := append([]string{"install", "-y", "-q", "--no-install-recommends"}, packages(missing)...)
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		fmt.Fprintf(r.out, "   not root on Debian, so nothing is installed; to do it: sudo apt-get %s\n", strings.Join(install, " "))
		return buildTools(r)
	}
	fmt.Fprintf(r.out, "   installing: %s\n", strings.Join(packages(missing), " "))
	env := []string{"DEBIAN_FRONTEND=noninteractive"}
	if err := r.command(env, "apt-get", "update", "-q"); err != nil {
		return err
	}
	if err := r.command(env, "apt-get", install...); err != nil {
		return err
	}
	if still := missingNeeds(missing, exec.LookPath); len(still) > 0 {
		return errors.New("still missing after installing its package: " + still[0].program)
	}
	return buildTools(r)
}

// buildTools makes test/tools/bin from the versions that test/tools/go.mod pins; quick when nothing has changed.
func buildTools(r *run) error {
	return r.command(nil, "go", "build", "-C", "test/tools", "-buildvcs=false", "-o", "bin/", "tool")
}

func missingNeeds(ns []need, look func(string) (string, error)) []need {
	var missing []need
	for _, n := range ns {
		if _, err := look(n.program); err != nil {
			missing = append(missing, n)
		}
	}
	return missing
}

func packages(ns []need) []string {
	var ps []string
	for _, n := range ns {
		ps = append(ps, n.pkg)
	}
	return ps
}
