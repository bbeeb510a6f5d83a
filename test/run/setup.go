package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// need is a program that tests call, the Debian package that brings it, and what it is for.
type need struct {
	program, pkg, use string
	unless            func() bool // whether this machine can do without; nil: it cannot
}

// needs lists the programs beyond Go that tests use.
var needs = []need{
	{"gcc", "gcc", "the race detector", nil},
	{"ip", "iproute2", "network namespaces", nil},
	{"nft", "nftables", "routers that translate and filter", nil},
	{"curl", "curl", "a real client of the proxy", nil},
	{"docker-compose", "docker-compose", "the Compose files", func() bool { return noDocker() || succeeds("docker", "compose", "version") }},
	{"busybox", "busybox-static", "a stand-in for the Go image", noDocker},
}

// noDocker tells that containers cannot be tested here anyway: an engine is not for a test to install.
func noDocker() bool { return !succeeds("docker", "info") }

func succeeds(name string, args ...string) bool { return exec.Command(name, args...).Run() == nil }

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
		if _, err := look(n.program); err != nil && (n.unless == nil || !n.unless()) {
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
