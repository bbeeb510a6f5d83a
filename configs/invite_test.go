package configs

import (
	"crypto/sha256"
	"encoding/base64"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// testInvite is always the same.
func testInvite() Invite {
	var seed [32]byte
	for i := range seed {
		seed[i] = byte(i + 1)
	}
	v := Invite{Name: "home", Key: privateKey(seed[:]), Addresses: []string{"vps.example.net", "2001:db8::7"}, RawPort: 7443, PlainPort: 7444}
	for i := range v.Server {
		v.Server[i] = byte(0xa0 + i)
	}
	return v
}

// goldenInvite is what testInvite encodes to; it must never change: invites live in mails and secret stores.
const goldenInvite = "hawser://AQBmAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyCgoaKjpKWmp6ipqqusra6vsLGys7S1tre4ubq7vL2-vx0THRQEaG9tZQIPdnBzLmV4YW1wbGUubmV0CzIwMDE6ZGI4Ojo3ZJdZiA"

func TestInviteGolden(t *testing.T) {
	text := testInvite().Encode()
	if text != goldenInvite {
		t.Errorf("invite\n%s\nwant\n%s", text, goldenInvite)
	}
	got, err := ParseInvite(text)
	if err != nil || !reflect.DeepEqual(got, testInvite()) {
		t.Errorf("parsed %+v, %v", got, err)
	}
}

func TestInviteMayBeWrapped(t *testing.T) {
	text := testInvite().Encode()
	got, err := ParseInvite("  " + text[:20] + "\r\n\t" + text[20:60] + "\n" + text[60:] + "\n")
	if err != nil || !reflect.DeepEqual(got, testInvite()) {
		t.Errorf("parsed %+v, %v", got, err)
	}
}

// seal makes an invite from raw bytes with a right checksum.
func seal(b []byte) string {
	sum := sha256.Sum256(b)
	return inviteScheme + base64.RawURLEncoding.EncodeToString(append(b, sum[:4]...))
}

// opened gives the bytes of the test's invite without its checksum.
func opened(t *testing.T) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(testInvite().Encode(), inviteScheme))
	if err != nil {
		t.Fatal(err)
	}
	return b[:len(b)-inviteSum]
}

func TestBadInvites(t *testing.T) {
	good := testInvite().Encode()
	change := func(fn func(v *Invite)) string {
		v := testInvite()
		fn(&v)
		return v.Encode()
	}
	version2 := opened(t)
	version2[0] = 2
	short := opened(t)
	short = short[:len(short)-1]
	short[2]--
	long := append(opened(t), 0)
	long[2]++
	noName := opened(t)[:3+68]
	noName[1], noName[2] = 0, 68
	tests := []struct{ name, text, want string }{
		{"empty", "", "not an invite: it is one line that begins with hawser://"},
		{"something else", "https://example.net/", "not an invite"},
		{"too long", strings.Repeat("a", maxInviteText+1), "too long"},
		{"scheme alone", "hawser://", "cut off"},
		{"half", good[:len(good)/2], "cut off"},
		{"last character missing", good[:len(good)-1], "cut off"},
		{"one character more", good + "A", "damaged"},
		{"four characters more", good + "AAAA", "damaged: something follows its end"},
		{"changed", strings.Replace(good, "AQID", "AQIE", 1), "damaged: the checksum is wrong"},
		{"foreign character", good[:30] + "!" + good[31:], "damaged: character 31 does not belong there"},
		{"newer version", seal(version2), "version 2, this program knows 1: update"},
		{"newer version, other form", "hawser://AgAA", "version 2, this program knows 1"},
		{"field cut", seal(short), "damaged: its fields do not fit"},
		{"byte behind the fields", seal(long), "damaged: its fields do not fit"},
		{"no name", seal(noName), "damaged: its fields do not fit"},
		{"bad name", change(func(v *Invite) { v.Name = "a b" }), "client name"},
		{"no addresses", change(func(v *Invite) { v.Addresses = nil }), "0 addresses of the server"},
		{"bad address", change(func(v *Invite) { v.Addresses[0] = "a b" }), "address of the server"},
		{"no ports", change(func(v *Invite) { v.RawPort, v.PlainPort = 0, 0 }), "no port of the server"},
		{"no key", change(func(v *Invite) { v.Server = PublicKey{} }), "no public key of the server"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParseInvite(test.text)
			wantConfigError(t, err, "invite: ", test.want)
			if test.name != "something else" && len(test.text) > 20 && strings.Contains(err.Error(), test.text[9:20]) {
				t.Errorf("the error shows the text: %s", err)
			}
		})
	}
}

func TestEveryTruncationOfAnInviteIsNamed(t *testing.T) {
	good := testInvite().Encode()
	for n := len(inviteScheme); n < len(good); n++ {
		_, err := ParseInvite(good[:n])
		wantConfigError(t, err, "cut off")
	}
}

func TestInviteNamesItselfWithoutItsSecret(t *testing.T) {
	if got, want := testInvite().String(), `invite for "home" to vps.example.net,2001:db8::7 [hidden]`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func FuzzInvite(f *testing.F) {
	f.Add(testInvite().Encode())
	f.Add(goldenInvite)
	f.Add("hawser://AgAA")
	f.Fuzz(func(t *testing.T, text string) {
		v, err := ParseInvite(text)
		if err != nil {
			return
		}
		again, err := ParseInvite(v.Encode())
		if err != nil || !reflect.DeepEqual(again, v) {
			t.Errorf("the invite does not come back: %v, %v", again, err)
		}
	})
}

func FuzzInviteBody(f *testing.F) {
	f.Add([]byte{1, 0, 0})
	f.Add(make([]byte, 80))
	f.Fuzz(func(t *testing.T, body []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		v, ok := parseInviteBody(body)
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
			t.Errorf("%d bytes allocated for %d", grown, len(body))
		}
		if !ok || v.check() != nil {
			return
		}
		again, err := ParseInvite(v.Encode())
		if err != nil || !reflect.DeepEqual(again, v) {
			t.Errorf("the invite does not come back: %v, %v", again, err)
		}
	})
}
