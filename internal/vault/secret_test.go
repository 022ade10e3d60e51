package vault

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"text/template"
)

const clearText = "Tr0ub4dor&3-horse"

// places puts the secret where forgetful code leaves one.
func places() map[string]any {
	s := NewSecret(clearText)
	type exported struct{ Password Secret }
	type unexported struct{ password Secret }
	type deep struct {
		Inner  *exported
		hidden *unexported
		List   []Secret
		Map    map[string]Secret
		Any    any
	}
	return map[string]any{
		"value":      s,
		"pointer":    &s,
		"exported":   exported{s},
		"unexported": unexported{s},
		"pointers":   &unexported{s},
		"map":        map[string]Secret{"password": s},
		"map to ptr": map[string]*Secret{"password": &s},
		"slice":      []Secret{s},
		"array":      [1]Secret{s},
		"interface":  []any{s, &s, exported{s}},
		"deep":       deep{&exported{s}, &unexported{s}, []Secret{s}, map[string]Secret{"a": s}, s},
		"error":      fmt.Errorf("sign in with %v: %w", s, errors.New("refused")),
		"joined":     errors.Join(fmt.Errorf("%s", s), fmt.Errorf("%#v", exported{s})),
	}
}

func mustNotShow(t *testing.T, how, output string) {
	t.Helper()
	if strings.Contains(output, clearText) || strings.Contains(output, fmt.Sprintf("%x", clearText)) || strings.Contains(output, fmt.Sprintf("%X", clearText)) {
		t.Errorf("%s shows the secret: %s", how, output)
	}
}

func TestSecretNeverPrintsWithAnyVerb(t *testing.T) {
	for where, value := range places() {
		for _, flags := range []string{"", "+", "#", "-20", "020", " ", ".3", "+#"} {
			for verb := 'A'; verb <= 'z'; verb++ {
				format := "%" + flags + string(verb)
				mustNotShow(t, where+" "+format, fmt.Sprintf(format, value))
			}
		}
		mustNotShow(t, where+" Sprint", fmt.Sprint(value))
	}
	if got := fmt.Sprintf("%s %v %q %x %#v %d", NewSecret(clearText), NewSecret("a"), NewSecret("b"), NewSecret("c"), NewSecret("d"), NewSecret("e")); got != strings.TrimSpace(strings.Repeat(hidden+" ", 6)) {
		t.Errorf("got %q, want the mask for every verb", got)
	}
}

func TestSecretNeverReachesALog(t *testing.T) {
	for _, name := range []string{"text", "json"} {
		for where, value := range places() {
			var out bytes.Buffer
			var h slog.Handler = slog.NewTextHandler(&out, nil)
			if name == "json" {
				h = slog.NewJSONHandler(&out, nil)
			}
			log := slog.New(h)
			log.Info("sign in", "secret", value)
			log.With("secret", value).WithGroup("g").Info("again", slog.Group("h", "secret", value))
			mustNotShow(t, name+" log of "+where, out.String())
			if where == "value" && strings.Count(out.String(), hidden) != 3 {
				t.Errorf("the %s log shows %s, want the mask three times", name, out.String())
			}
		}
	}
}

func TestSecretIsNeverEncoded(t *testing.T) {
	s := NewSecret(clearText)
	if out, err := json.Marshal(map[string]any{"password": s}); err == nil {
		t.Errorf("JSON gave %s, want an error", out)
	}
	if out, err := xml.Marshal(struct{ P Secret }{s}); err == nil {
		t.Errorf("XML gave %s, want an error", out)
	}
	var out bytes.Buffer
	if err := gob.NewEncoder(&out).Encode(struct{ P Secret }{s}); err == nil {
		t.Errorf("gob gave %q, want an error", out.String())
	}
	if v, err := s.Value(); err == nil {
		t.Errorf("a database would be given %v, want an error", v)
	}
	for where, value := range places() {
		out, err := json.Marshal(value)
		mustNotShow(t, "JSON of "+where, string(out)+fmt.Sprint(err))
	}
}

func TestSecretNeverReachesATemplate(t *testing.T) {
	var out bytes.Buffer
	tmpl := template.Must(template.New("").Parse(`{{.}} {{printf "%s" .}} {{. | html}}`))
	if err := tmpl.Execute(&out, NewSecret(clearText)); err != nil {
		t.Fatal(err)
	}
	mustNotShow(t, "template", out.String())
}

func TestSecretIsReadFromJSON(t *testing.T) {
	var in struct{ Password Secret }
	if err := json.Unmarshal([]byte(`{"password":"`+clearText+`"}`), &in); err != nil {
		t.Fatal(err)
	}
	if in.Password.Reveal() != clearText {
		t.Error("the secret was not read")
	}
	if err := json.Unmarshal([]byte(`{"password":""}`), &in); err != nil || !in.Password.IsZero() {
		t.Errorf("an empty text is no secret: %v", err)
	}
}

func TestSecretIsRedactedFromWhatOthersSay(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"535 no such password: tr0ub4dor":    "535 no such password: [secret]",
		"tr0ub4dor tr0ub4dor":                "[secret] [secret]",
		"535 authentication failed: mailbox": "535 authentication failed: mailbox",
	} {
		if got := NewSecret("tr0ub4dor").Redact(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
	for _, secret := range []Secret{{}, NewSecret("box")} {
		if got := secret.Redact("mailbox"); got != "mailbox" {
			t.Errorf("too short to be recognised: %q", got)
		}
	}
}

func TestSecretsCompareByContent(t *testing.T) {
	a, b, c := NewSecret("one"), NewSecret("one"), NewSecret("other")
	if !a.Equal(b) || a.Equal(c) || a.Equal(Secret{}) || !(Secret{}).Equal(NewSecret("")) {
		t.Error("Equal does not compare contents")
	}
	key := []byte("key")
	if a.Digest(key) != b.Digest(key) || a.Digest(key) == c.Digest(key) || a.Digest(key) == a.Digest([]byte("other key")) {
		t.Error("Digest does not depend on content and key alone")
	}
}
