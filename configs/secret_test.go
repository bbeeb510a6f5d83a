package configs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"gopkg.in/yaml.v3"
)

// everyPrinting shows a value in every way that a program may come to print it.
func everyPrinting(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	nested := struct {
		Exported any
		hidden   any
		list     []any
	}{v, v, []any{v}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%c", "%U", "%b", "%o", "%p", "%t"} {
		fmt.Fprintf(&b, verb+"\n", v)
		fmt.Fprintf(&b, verb+"\n", nested)
	}
	fmt.Fprintln(&b, v, &nested, errors.New(fmt.Sprint(v)))
	j, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	y, err := yaml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	b.Write(j)
	b.Write(y)
	log := zerolog.New(&b)
	log.Info().Interface("v", v).Any("w", nested).Msg(fmt.Sprint(v))
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "v", v, "w", nested)
	return b.String()
}

// wantHidden fails when a printing holds one of the secrets, in any notation that fmt has.
func wantHidden(t *testing.T, v any, secrets ...[]byte) {
	t.Helper()
	printed := everyPrinting(t, v)
	for _, s := range secrets {
		for _, notation := range []string{"%s", "%x", "%X", "%d", "% x", "%b", "%o"} {
			text := strings.Trim(fmt.Sprintf(notation, s), "[]")
			if strings.Contains(printed, text) {
				t.Errorf("%T shows its secret as %s", v, text)
			}
		}
	}
}

func TestSecretsHideThemselves(t *testing.T) {
	type wrapped struct {
		name   string
		secret Secret
		key    PrivateKey
		invite Invite
	}
	key := NewPrivateKey()
	text := "correct horse battery"
	invite := testInvite()
	code := strings.TrimPrefix(invite.Encode(), inviteScheme)
	secrets := [][]byte{[]byte(text), key.bytes(), invite.Key.bytes(), []byte(code)}
	w := wrapped{"w", NewSecret(text), key, invite}
	client := DefaultClient()
	client.AdminToken, client.key = NewSecret(text), key
	client.Users = []User{{Name: "me", Password: NewSecret(text)}}
	for _, v := range []any{NewSecret(text), key, invite, w, &w, client, &client, []Secret{NewSecret(text)}, map[string]PrivateKey{"k": key}} {
		wantHidden(t, v, secrets...)
	}
}

func TestSecretComparesItsText(t *testing.T) {
	s := NewSecret("a")
	if !s.Matches("a") || s.Matches("b") || s.Matches("") || s.IsZero() || s.Reveal() != "a" {
		t.Error("a secret does not compare as its text")
	}
	if none := NewSecret(""); none.Matches("") || !none.IsZero() || none.Reveal() != "" {
		t.Error("no secret matches something")
	}
}
