package configs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Limits on what is read from files that users name.
const maxConfigFile = 1 << 20 // bytes

// Place is what configuration takes from the machine. Machine gives the real one; tests make their own.
type Place struct {
	Environ   []string // "NAME=value", the last of a name wins
	Home      string   // the user's home; empty: none known
	Dir       string   // what relative paths start from; empty: the process's working directory
	Root      string   // stands before system directories (/etc); empty: the real ones
	Superuser bool     // files go to /etc/hawser by default
}

// Machine gives the place of this process.
func Machine() Place {
	home, _ := os.UserHomeDir()
	return Place{Environ: os.Environ(), Home: home, Superuser: os.Getuid() == 0}
}

// variable looks an environment variable up.
func (p Place) variable(name string) (string, bool) {
	for i := len(p.Environ) - 1; i >= 0; i-- {
		if k, v, ok := strings.Cut(p.Environ[i], "="); ok && k == name {
			return v, true
		}
	}
	return "", false
}

// path makes a path that the user gave usable from here.
func (p Place) path(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(p.Dir, path)
}

// systemDir is where the machine's own configuration lives.
func (p Place) systemDir() string { return filepath.Join(p.Root, "/etc/hawser") }

// userDir is where the user's configuration lives: $XDG_CONFIG_HOME/hawser, its default ~/.config/hawser (XDG Base
// Directory Specification), on Windows %AppData%\hawser; empty: nowhere.
func (p Place) userDir() string {
	if dir, _ := p.variable("XDG_CONFIG_HOME"); filepath.IsAbs(dir) { // relative ones must be ignored, says the specification
		return filepath.Join(dir, "hawser")
	}
	if dir, _ := p.variable("AppData"); runtime.GOOS == "windows" && dir != "" {
		return filepath.Join(dir, "hawser")
	}
	if p.Home == "" {
		return ""
	}
	return filepath.Join(p.Home, ".config", "hawser")
}

// DefaultDir is where init and join write when nothing else is said: /etc/hawser for root, else the user's directory.
func (p Place) DefaultDir() string {
	if dir := p.userDir(); !p.Superuser && dir != "" {
		return dir
	}
	return p.systemDir()
}

// namedFile is the file that -c or HAWSER_CONFIG names; empty: neither does.
func (p Place) namedFile(flag string) string {
	if flag != "" {
		return p.path(flag)
	}
	if file, _ := p.variable("HAWSER_CONFIG"); file != "" {
		return p.path(file)
	}
	return ""
}

// find gives the configuration file with the base name given: the named one, whether it exists or not, else the
// first that exists. When there is none, the error wraps fs.ErrNotExist and lists what was tried.
func (p Place) find(flag, base string) (string, error) {
	if file := p.namedFile(flag); file != "" {
		return file, nil
	}
	tried := []string{p.path(base)}
	if dir := p.userDir(); dir != "" {
		tried = append(tried, filepath.Join(dir, base))
	}
	tried = append(tried, filepath.Join(p.systemDir(), base))
	for _, file := range tried {
		if _, err := os.Stat(file); err == nil || !errors.Is(err, fs.ErrNotExist) {
			return file, nil
		}
	}
	e := fault("", "no configuration file: tried %s; name one with -c or HAWSER_CONFIG", strings.Join(tried, ", "))
	e.Problems[0].Err = fs.ErrNotExist
	return "", e
}

// readFile reads a file that the user named, of at most maxConfigFile bytes.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, faultOf(err, "")
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxConfigFile+1))
	if err != nil {
		return nil, faultOf(err, "")
	}
	if len(b) > maxConfigFile {
		return nil, fault(path, "too large: at most %d bytes", maxConfigFile)
	}
	return b, nil
}
