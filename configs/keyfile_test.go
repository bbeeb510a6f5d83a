package configs

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// rfcKey is the first key of RFC 8032 §7.1.
func rfcKey(t *testing.T) PrivateKey {
	t.Helper()
	seed, err := hex.DecodeString("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
	if err != nil {
		t.Fatal(err)
	}
	return privateKey(seed)
}

func TestPublicKeyOfVector(t *testing.T) {
	key := rfcKey(t)
	if got, want := hex.EncodeToString(key.Public().Ed25519()), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"; got != want {
		t.Errorf("public key %s, want %s", got, want)
	}
	message := []byte("hello")
	if !ed25519.Verify(key.Public().Ed25519(), message, ed25519.Sign(key.Ed25519(), message)) {
		t.Error("the keys do not belong together")
	}
}

func TestPublicKeyText(t *testing.T) {
	key := NewPrivateKey().Public()
	var again PublicKey
	if err := again.UnmarshalText([]byte(key.String())); err != nil || again != key {
		t.Errorf("%s comes back as %s, %v", key, again, err)
	}
	if got, ok := PublicKeyOf(key.Ed25519()); !ok || got != key {
		t.Error("conversion does not come back")
	}
	if _, ok := PublicKeyOf(nil); ok {
		t.Error("an empty key was accepted")
	}
	var none PrivateKey
	if !none.IsZero() || none.Ed25519() != nil || !none.Public().IsZero() || none.Public().String() != "" {
		t.Error("the zero key is a key")
	}
}

func TestKeyFileRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "me.key")
	key := rfcKey(t)
	if err := WriteKeyFile(path, key, "a comment"); err != nil {
		t.Fatal(err)
	}
	want := "# a comment\nhawser-private-key-v1 nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=\n"
	if got := read(t, path); got != want {
		t.Errorf("file\n%swant\n%s", got, want)
	}
	got, err := ReadKeyFile(path)
	if err != nil || got.Public() != key.Public() {
		t.Errorf("read %v, %v", got.Public(), err)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := WriteKeyFile(path, NewPrivateKey(), "x"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("writing again: %v, want an error that wraps fs.ErrExist", err)
	}
	if read(t, path) != want {
		t.Error("writing again changed the file")
	}
}

func TestKeyFileThatOthersCanReadIsRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("windows has no Unix modes")
	}
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o644, 0o620, 0o601} {
		path := filepath.Join(t.TempDir(), "me.key")
		if err := WriteKeyFile(path, NewPrivateKey(), "x"); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := ReadKeyFile(path)
		wantConfigError(t, err, "others can read this key", "run chmod 600 "+path)
	}
}

func TestMalformedKeyFiles(t *testing.T) {
	line := strings.SplitAfter(string(formatKeyFile(rfcKey(t), "x")), "\n")[1]
	good := map[string]string{
		"alone":          line,
		"spaces, CRLF":   "\r\n# c\r\n\t" + strings.TrimSpace(line) + " \r\n\r\n",
		"without an end": strings.TrimSpace(line),
	}
	for name, text := range good {
		if _, err := parseKeyFile([]byte(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad := map[string]string{
		"empty":         "",
		"comment alone": "# c\n",
		"cut off":       line[:len(line)-4],
		"too long":      strings.TrimSpace(line) + "AAAA",
		"other prefix":  strings.Replace(line, "v1", "v2", 1),
		"two keys":      line + line,
		"words behind":  strings.TrimSpace(line) + " x",
		"no space":      strings.Replace(line, " ", "", 1),
		"binary":        "\x00\x01\x02",
		"huge line":     strings.Repeat("x", 100_000),
		"huge comment":  strings.Repeat("#\n", maxKeyFile) + line,
	}
	for name, text := range bad {
		path := write(t, filepath.Join(t.TempDir(), "me.key"), text)
		_, err := ReadKeyFile(path)
		wantConfigError(t, err, path, "not a key file: want one line of")
		if strings.Contains(err.Error(), "nWGx") {
			t.Errorf("%s: the error shows the key", name)
		}
	}
}

func TestKeyFileThatIsMissingOrNoFile(t *testing.T) {
	dir := t.TempDir()
	_, err := ReadKeyFile(filepath.Join(dir, "none.key"))
	wantConfigError(t, err, "none.key", "create it with hawser-server init or hawser-client join")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("the error does not wrap fs.ErrNotExist")
	}
	_, err = ReadKeyFile(dir)
	wantConfigError(t, err, dir, "not a file")
}

func FuzzKeyFile(f *testing.F) {
	f.Add(formatKeyFile(NewPrivateKey(), "x"))
	f.Add([]byte("# x\n\nhawser-private-key-v1 AAAA\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		key, err := parseKeyFile(b)
		if err != nil {
			return
		}
		again, err := parseKeyFile(formatKeyFile(key, "x"))
		if err != nil || !bytes.Equal(again.bytes(), key.bytes()) {
			t.Errorf("the key does not come back: %v", err)
		}
	})
}
