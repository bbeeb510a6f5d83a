package configs

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// A key file is text: comment lines (#), and one line of keyPrefix, a space and the seed in standard base64.
const (
	keyPrefix   = "hawser-private-key-v1"
	maxKeyFile  = 4 << 10 // bytes
	privateMode = 0o600
)

// ReadKeyFile reads a private key. The file must belong to its owner alone: on systems with Unix modes one that the
// group or others can read or write is refused. Errors are of type *Error and never hold what the file says.
func ReadKeyFile(path string) (PrivateKey, error) {
	f, err := os.Open(path)
	if err != nil {
		return PrivateKey{}, faultOf(err, keyHint(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return PrivateKey{}, faultOf(err, "")
	}
	if !info.Mode().IsRegular() {
		return PrivateKey{}, fault(path, "not a file: identity must name a key file")
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
		return PrivateKey{}, fault(path, "others can read this key (mode %04o): run chmod 600 %s", mode, path)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return PrivateKey{}, faultOf(err, "")
	}
	key, err := parseKeyFile(b)
	if err != nil {
		return PrivateKey{}, fault(path, "%s", err)
	}
	return key, nil
}

// keyHint says what to do about a key file that cannot be opened.
func keyHint(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "create it with hawser-server init or hawser-client join, or correct identity"
	case errors.Is(err, fs.ErrPermission):
		return "run as the user that owns the key"
	}
	return ""
}

// errKeyFile says what is wrong without saying what the file holds.
var errKeyFile = fmt.Errorf("not a key file: want one line of %q, a space and 44 characters of base64", keyPrefix)

// parseKeyFile reads the text of a key file.
func parseKeyFile(b []byte) (PrivateKey, error) {
	if len(b) > maxKeyFile {
		return PrivateKey{}, errKeyFile
	}
	var found PrivateKey
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		prefix, text, _ := strings.Cut(line, " ")
		seed, err := base64.StdEncoding.Strict().DecodeString(text)
		if prefix != keyPrefix || err != nil || len(seed) != ed25519.SeedSize || !found.IsZero() {
			return PrivateKey{}, errKeyFile
		}
		found = privateKey(seed)
	}
	if found.IsZero() {
		return PrivateKey{}, errKeyFile
	}
	return found, nil
}

// formatKeyFile gives the text of a key file; the comment is one line.
func formatKeyFile(key PrivateKey, comment string) []byte {
	return fmt.Appendf(nil, "# %s\n%s %s\n", comment, keyPrefix, base64.StdEncoding.EncodeToString(key.bytes()))
}

// WriteKeyFile creates a key file that its owner alone can read. It never overwrites: an existing file is an error
// that wraps fs.ErrExist.
func WriteKeyFile(path string, key PrivateKey, comment string) error {
	return createFile(path, formatKeyFile(key, comment))
}

// createFile writes a new file of mode 0600 and syncs it; what it began and could not finish it removes.
func createFile(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, privateMode)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return syncDir(filepath.Dir(path))
}
