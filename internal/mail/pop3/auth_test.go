package pop3

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"orbit/internal/mail/sasl"
	"orbit/internal/vault"
)

const testToken = "ya29.secret-access-token"

func encode(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func bearer(token string) string { return "user=ann\x01auth=Bearer " + token + "\x01\x01" }

func TestSASL(t *testing.T) {
	t.Parallel()
	password := vault.NewSecret("secret")
	long := strings.Repeat("x", 300)
	refusal := encode(`{"status":"401"}`)
	for name, c := range map[string]struct {
		client sasl.Client
		lines  []string
		err    string
	}{
		"PLAIN":                         {sasl.NewPlain("ann", password), []string{"C: AUTH PLAIN " + encode("\x00ann\x00secret"), "S: +OK"}, ""},
		"PLAIN, initial response asked": {sasl.NewPlain("ann", vault.NewSecret(long)), []string{"C: AUTH PLAIN", "S: +", "C: " + encode("\x00ann\x00"+long), "S: +OK"}, ""},
		"LOGIN":                         {sasl.NewLogin("ann", password), []string{"C: AUTH LOGIN", "S: + VXNlcm5hbWU6", "C: " + encode("ann"), "S: + UGFzc3dvcmQ6", "C: " + encode("secret"), "S: +OK"}, ""},
		"XOAUTH2":                       {sasl.NewXOAuth2("ann", vault.NewSecret(testToken)), []string{"C: AUTH XOAUTH2 " + encode(bearer(testToken)), "S: +OK"}, ""},
		"XOAUTH2, long": {sasl.NewXOAuth2("ann", vault.NewSecret(long)),
			[]string{"C: AUTH XOAUTH2", "S: + ", "C: " + encode(bearer(long)), "S: +OK"}, ""},
		"XOAUTH2, refused": {sasl.NewXOAuth2("ann", vault.NewSecret(testToken)),
			[]string{"C: AUTH XOAUTH2 " + encode(bearer(testToken)), "S: + " + refusal, "C: ", "S: -ERR [AUTH] no"}, "AUTH: the server answered -ERR [AUTH] no"},
		"OAUTHBEARER, refused": {sasl.NewOAuthBearer("ann", "h", 995, vault.NewSecret("t")),
			[]string{"C: AUTH OAUTHBEARER " + encode("n,a=ann,\x01host=h\x01port=995\x01auth=Bearer t\x01\x01"), "S: + " + refusal, "C: AQ==", "S: -ERR no"},
			"AUTH: the server answered -ERR no"},
		"a challenge in clear text": {sasl.NewPlain("ann", password),
			[]string{"C: AUTH PLAIN " + encode("\x00ann\x00secret"), "S: + ?", "C: *", "S: -ERR cancelled"}, "decode the challenge"},
		"a challenge too many": {sasl.NewPlain("ann", password),
			[]string{"C: AUTH PLAIN " + encode("\x00ann\x00secret"), "S: + eA==", "C: *", "S: -ERR cancelled"}, "could not be completed"},
		"a quoted secret": {sasl.NewPlain("ann", password),
			[]string{"C: AUTH PLAIN " + encode("\x00ann\x00secret"), "S: -ERR unknown: AUTH PLAIN " + encode("\x00ann\x00secret")[:12] + " here"},
			"AUTH: the server answered -ERR unknown: AUTH PLAIN [secret] here"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := greeted(t, append(c.lines, "C: NOOP", "S: +OK")...)
			_, err := client.Authenticate(t.Context(), c.client)
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("%v", err)
			}
			if err := client.Noop(t.Context()); err != nil { // refused or cancelled, the session goes on
				t.Error(err)
			}
		})
	}
}

func TestAnEndlessExchangeEnds(t *testing.T) {
	t.Parallel()
	lines := []string{"C: AUTH LONG"}
	for range maxRounds {
		lines = append(lines, "S: + eA==", "C: eA==")
	}
	c := greeted(t, lines...)
	if _, err := c.Authenticate(t.Context(), endless{}); !errors.Is(err, errRounds) || c.Usable() {
		t.Errorf("%v", err)
	}
}

type endless struct{}

func (endless) Start() (string, []byte, error)        { return "LONG", nil, nil }
func (endless) Next(challenge []byte) ([]byte, error) { return challenge, nil }

// The digest is the example of RFC 1939 7.
func TestAPOP(t *testing.T) {
	t.Parallel()
	c := greeted(t, "C: APOP mrose c4c9334bac560ecc979e58001b3e22fb", "S: +OK maildrop has 1 message (369 octets)")
	if _, err := c.APOP(t.Context(), "mrose", "tanstaaf"); err != nil {
		t.Error(err)
	}
	for greeting, want := range map[string]string{
		"ready <1@b> x": "<1@b>", "ready": "", "<no at>": "", "<open@": "", "> <a@b>": "<a@b>",
	} {
		if got := timestamp(greeting); got != want {
			t.Errorf("%q: %q", greeting, got)
		}
	}
	plain := New(script(t, "S: +OK ready"), Options{})
	if _, err := plain.Greeting(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := plain.APOP(t.Context(), "mrose", "tanstaaf"); err == nil {
		t.Error("APOP without a timestamp")
	}
}

func TestNothingIsInjected(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"ann\r\nDELE 1", "ann\nx", "ann\x00"} {
		c := greeted(t)
		if _, err := c.Login(t.Context(), value, "x"); !errors.Is(err, errControlByte) {
			t.Errorf("%q: %v", value, err)
		}
	}
}

func TestTracesHoldNoSecret(t *testing.T) {
	t.Parallel()
	var trace strings.Builder
	o := Options{Trace: func(from, text string) { fmt.Fprintf(&trace, "%s: %s\n", from, text) }}
	c := greetedWith(t, o,
		"C: USER ann", "S: +OK", "C: PASS open sesame", "S: -ERR [AUTH] not open sesame, ann",
		"C: USER ann", "S: +OK", "C: PASS open sesame seed", "S: -ERR quoting open sesame seed")
	_, err := c.Login(t.Context(), "ann", "open sesame")
	if err == nil || strings.Contains(err.Error(), "open ses") {
		t.Error(err)
	}
	_, _ = c.Login(t.Context(), "ann", "open sesame seed")
	want := "server: +OK ready <1896.697170952@dbc.mtview.ca.us>\nclient: USER ann\nserver: +OK\nclient: PASS [secret]\nserver: -ERR [AUTH] not [secret], ann\n" +
		"client: USER ann\nserver: +OK\nclient: PASS [secret]\nserver: -ERR quoting [secret]\n"
	if trace.String() != want {
		t.Errorf("%s", trace.String())
	}
}
