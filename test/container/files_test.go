package container

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// root is the checkout as seen from this package.
const root = "../.."

// common lists the keys that the files use and that Compose v1.29 and v2 both know, by where they stand. What is new in
// v2 (name, develop, include, start_interval, …) or gone in it (version) is not among them.
var common = map[string][]string{
	"": {"services", "networks", "volumes", "secrets"},
	"service": {"image", "build", "command", "environment", "ports", "volumes", "networks", "network_mode", "user", "read_only",
		"cap_drop", "cap_add", "security_opt", "restart", "healthcheck", "secrets", "init", "tmpfs", "working_dir"},
	"build":       {"context", "dockerfile", "args", "network"},
	"healthcheck": {"test", "interval", "timeout", "retries", "start_period"},
	"network":     {"internal", "ipam"},
}

type object = map[string]any

// composeFile reads one of the files without filling in variables.
func composeFile(t *testing.T, name string) object {
	t.Helper()
	text, err := os.ReadFile(root + "/docker/compose." + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file object
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatalf("compose.%s.yaml: %v", name, err)
	}
	return file
}

func TestComposeFilesHoldWhatBothVersionsKnow(t *testing.T) {
	for _, name := range []string{"server", "client", "demo"} {
		file := composeFile(t, name)
		known(t, name, "", file)
		for network, o := range child(file, "networks") {
			known(t, name+": network "+network, "network", o.(object))
		}
		for service, o := range child(file, "services") {
			s, at := o.(object), name+": "+service
			known(t, at, "service", s)
			known(t, at, "build", child(s, "build"))
			known(t, at, "healthcheck", child(s, "healthcheck"))
			if len(child(s, "healthcheck")) == 0 {
				t.Errorf("%s has no health check", at)
			}
		}
	}
}

func child(o object, key string) object {
	c, _ := o[key].(object)
	return c
}

func known(t *testing.T, at, kind string, o object) {
	t.Helper()
	for key := range maps.Keys(o) {
		if !slices.Contains(common[kind], key) {
			t.Errorf("%s: %q is not known to be in Compose v1.29 and v2", at, key)
		}
	}
}

func TestServicesAreConfined(t *testing.T) {
	for _, c := range []struct {
		file, service, user, network string
		capabilities                 []any
	}{
		{"server", "server", "65532:65532", "", nil},
		{"client", "client", "0:0", "host", []any{"NET_RAW"}},
		{"demo", "server", "65532:65532", "", nil},
		{"demo", "client", "0:0", "", []any{"NET_RAW"}},
	} {
		s := child(child(composeFile(t, c.file), "services"), c.service)
		network, _ := s["network_mode"].(string)
		added, _ := s["cap_add"].([]any)
		dropped, _ := s["cap_drop"].([]any)
		options, _ := s["security_opt"].([]any)
		if s["user"] != c.user || s["read_only"] != true || network != c.network || !slices.Equal(added, c.capabilities) ||
			!slices.Equal(dropped, []any{"ALL"}) || !slices.Equal(options, []any{"no-new-privileges:true"}) {
			t.Errorf("compose.%s.yaml: %s may do more or less than docs/docker.md says: %v", c.file, c.service, s)
		}
	}
}

// buildKitOnly matches what the classic builder does not understand.
var buildKitOnly = regexp.MustCompile(`(?m)^# *syntax=|--mount=|--network=|--link|--chmod=|--parents|--exclude=|<<`)

func TestDockerfileNeedsNoBuildKit(t *testing.T) {
	text, err := os.ReadFile(root + "/docker/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	if found := buildKitOnly.FindString(string(text)); found != "" {
		t.Errorf("docker/Dockerfile: %q is for BuildKit alone", found)
	}
	lines := slices.DeleteFunc(strings.Split(string(text), "\n"), func(l string) bool { return l == "" || l[0] == '#' })
	if len(lines) < 2 || lines[0] != "ARG GO_IMAGE=golang:1.26" || lines[1] != "FROM ${GO_IMAGE} AS build" {
		t.Errorf("docker/Dockerfile begins with %q", lines[:2])
	}
	if !slices.Contains(lines, "FROM scratch") {
		t.Error("docker/Dockerfile: the last stage is not from scratch")
	}
}

// Every variable that the files take from the environment is explained in the document.
func TestDocumentExplainsTheVariables(t *testing.T) {
	text, err := os.ReadFile(root + "/docs/docker.md")
	if err != nil {
		t.Fatal(err)
	}
	variable := regexp.MustCompile(`\$\{([A-Z_]+)`)
	for _, name := range []string{"server", "client", "demo"} {
		file, err := os.ReadFile(root + "/docker/compose." + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range variable.FindAllStringSubmatch(string(file), -1) {
			if !strings.Contains(string(text), "`"+m[1]) {
				t.Errorf("docs/docker.md does not explain %s of compose.%s.yaml", m[1], name)
			}
		}
	}
}
