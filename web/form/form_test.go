package form_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"orbit/internal/problem"
	"orbit/internal/vault"
	"orbit/web/form"
)

// kind is a named text, as accounts have them.
type kind string

type server struct {
	Host string `json:"smtp_host,omitempty" label:"SMTP host"`
	Port int    `form:"port" label:"Port" min:"1" max:"65535"`
}

type account struct {
	server
	Name     string       `form:"account_name" label:"Account name" maxlength:"20"`
	Kind     kind         `form:"kind"`
	Active   bool         `form:"active"`
	Owner    *int64       `form:"owner_id"`
	ID       int64        `form:"id"`
	CA       string       `form:"certificate_ca,lines"`
	Secret   vault.Secret `form:"secret"`
	To       []string     `form:"to"`
	Hidden   string       `form:"-"`
	Internal string
}

func TestAFormFillsEveryKindOfField(t *testing.T) {
	owner := int64(7)
	got := account{Hidden: "kept", Internal: "kept"}
	typed, wrong := form.Decode(url.Values{
		"smtp_host": {"  smtp.example.com "}, "port": {"587"}, "account_name": {"Office365"}, "kind": {"imap"}, "active": {"no", "yes"},
		"owner_id": {"7"}, "id": {"12"}, "certificate_ca": {"-----BEGIN\r\nabc\r\n-----END\r\n"}, "secret": {" spaces belong to it "},
		"to": {"a@example.com", "", "b@example.com"}, "Hidden": {"set"}, "Internal": {"set"}, "unknown": {"ignored"},
	}, &got)
	want := account{
		server: server{Host: "smtp.example.com", Port: 587}, Name: "Office365", Kind: "imap", Active: true, Owner: &owner, ID: 12,
		CA: "-----BEGIN\nabc\n-----END", To: []string{"a@example.com", "b@example.com"}, Hidden: "kept", Internal: "kept",
	}
	if len(wrong) != 0 {
		t.Errorf("problems: %v", wrong)
	}
	if !got.Secret.Equal(vault.NewSecret(" spaces belong to it ")) {
		t.Error("the secret is not what was typed")
	}
	got.Secret = vault.Secret{}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if _, ok := typed["secret"]; ok {
		t.Error("a secret is kept for showing the form again")
	}
}

func TestWhatIsNotPostedStaysAsItWas(t *testing.T) {
	got := account{Name: "Office365", Active: true, Secret: vault.NewSecret("stored"), server: server{Port: 25}}
	_, wrong := form.Decode(url.Values{"secret": {""}}, &got)
	if len(wrong) != 0 || got.Name != "Office365" || !got.Active || got.Port != 25 || !got.Secret.Equal(vault.NewSecret("stored")) {
		t.Errorf("got %+v, problems %v", got, wrong)
	}
}

func TestWhatCannotBeConvertedIsSaidInWords(t *testing.T) {
	cases := map[string]struct{ field, posted, text string }{
		"letters for a port":  {"port", "abc", "Port must be a number from 1 to 65535."},
		"a port too large":    {"port", "65536", "Port must be a number from 1 to 65535."},
		"a port of zero":      {"port", "0", "Port must be a number from 1 to 65535."},
		"a number too large":  {"id", "9223372036854775808", "Id must be a whole number, digits only."},
		"neither yes nor no":  {"active", "maybe", "Choose Yes or No for Active."},
		"a line break":        {"smtp_host", "a\r\nRCPT TO:<b>", "SMTP host must be one line without control characters."},
		"a NUL":               {"account_name", "a\x00b", "Account name must be one line without control characters."},
		"too many characters": {"account_name", strings.Repeat("é", 21), "Account name is too long: use at most 20 characters."},
		"no text at all":      {"account_name", "\xff\xfe", "Account name holds characters that are not text. Type it instead of pasting it."},
		"a letter for an id":  {"owner_id", "x", "Owner id must be a whole number, digits only."},
		"a NUL in a text":     {"certificate_ca", "a\x00", "Certificate ca holds control characters. Type it instead of pasting it."},
		"a NUL in a secret":   {"secret", "a\x00", "Secret holds characters that are not text, or is too long."},
		"a break in a list":   {"to", "a\nb", "To must be one line without control characters."},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var got account
			typed, wrong := form.Decode(url.Values{c.field: {c.posted}}, &got)
			if wrong.For(c.field) != c.text {
				t.Errorf("got  %q\nwant %q", wrong.For(c.field), c.text)
			}
			if c.field != "secret" && c.field != "to" && typed[c.field] != c.posted {
				t.Errorf("what was typed is lost: %q", typed[c.field])
			}
		})
	}
}

func TestJoinBlamesAFieldOnce(t *testing.T) {
	converted := problem.Invalid{{Name: "port", Text: "Port must be a number from 1 to 65535."}}
	rules := problem.Invalid{{Name: "port", Text: "Enter a port."}, {Name: "account_name", Text: "Enter a name."}, {Text: "Something else."}}
	all, err := form.Join(converted, rules.Err())
	if err != nil || len(all) != 3 || all.For("port") != converted[0].Text || all.For("account_name") == "" {
		t.Errorf("joined %v, error %v", all, err)
	}
	broken := errors.New("the database is gone")
	if _, err := form.Join(converted, broken); !errors.Is(err, broken) {
		t.Errorf("an error that is no problem of a field came back as %v", err)
	}
	if all, err := form.Join(nil, nil); err != nil || len(all) != 0 {
		t.Errorf("nothing wrong gives %v, %v", all, err)
	}
}

func TestReadSaysWhenThereIsNoForm(t *testing.T) {
	post := func(body string) *http.Request {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return r
	}
	var got account
	if _, _, err := form.Read(post("account_name=%zz"), &got); !errors.Is(err, form.ErrMalformed) {
		t.Errorf("a broken body gives %v", err)
	}
	large := post("account_name=" + strings.Repeat("a", 100))
	large.Body = http.MaxBytesReader(httptest.NewRecorder(), large.Body, 50)
	var tooLarge *http.MaxBytesError
	if _, _, err := form.Read(large, &got); !errors.As(err, &tooLarge) {
		t.Errorf("a body over the limit gives %v", err)
	}
	typed, _, err := form.Read(post("account_name=Office365&port=587"), &got)
	if err != nil || got.Name != "Office365" || typed.Or("port", "25") != "587" || typed.Or("kind", "pop3") != "pop3" {
		t.Errorf("got %+v, typed %v, error %v", got, typed, err)
	}
}

// FuzzDecode holds that nothing that is posted reaches a one-line field with a control character in it: these values
// become header lines and SMTP commands.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"Office365", "a\r\nBcc: b@example.com", "\x00", "\xff", "  ", "1e9", strings.Repeat("9", 40)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var got account
		_, wrong := form.Decode(url.Values{
			"smtp_host": {text}, "port": {text}, "account_name": {text}, "kind": {text}, "active": {text},
			"owner_id": {text}, "id": {text}, "certificate_ca": {text}, "secret": {text}, "to": {text, text},
		}, &got)
		for _, line := range append([]string{got.Host, got.Name, string(got.Kind)}, got.To...) {
			if strings.ContainsFunc(line, unicode.IsControl) || !utf8.ValidString(line) {
				t.Errorf("%q came through as %q", text, line)
			}
		}
		if got.Port != 0 && (got.Port < 1 || got.Port > 65535) {
			t.Errorf("port %d", got.Port)
		}
		for _, p := range wrong {
			if p.Name == "" || p.Text == "" {
				t.Errorf("a problem without words: %+v", p)
			}
		}
	})
}
