package sasl

import (
	"errors"
	"strings"
	"testing"

	"orbit/internal/vault"
)

func TestPasswordMechanismsSayWhatTheirSpecificationsShow(t *testing.T) {
	t.Parallel()
	cases := []struct {
		client     Client
		mechanism  string
		initial    string // "-" for none
		challenges []string
		answers    []string
	}{
		{NewPlain("tim", vault.NewSecret("tanstaaftanstaaf")), Plain, "\x00tim\x00tanstaaftanstaaf", nil, nil},
		{NewLogin("tim", vault.NewSecret("tanstaaf")), Login, "-",
			[]string{"User Name\x00", "Password\x00"}, []string{"tim", "tanstaaf"}},
		{NewCRAMMD5("tim", vault.NewSecret("tanstaaftanstaaf")), CRAMMD5, "-", // RFC 2195 2
			[]string{"<1896.697170952@postoffice.reston.mci.net>"}, []string{"tim b913a602c7eda7a495b4e6e7334d3890"}},
	}
	for _, c := range cases {
		t.Run(c.mechanism, func(t *testing.T) {
			mechanism, initial, err := c.client.Start()
			if err != nil || mechanism != c.mechanism {
				t.Fatalf("Start: %q, %v", mechanism, err)
			}
			if (initial == nil) != (c.initial == "-") || initial != nil && string(initial) != c.initial {
				t.Errorf("initial response %q, want %q", initial, c.initial)
			}
			for i, challenge := range c.challenges {
				answer, err := c.client.Next([]byte(challenge))
				if err != nil || string(answer) != c.answers[i] {
					t.Errorf("answer %q, %v, want %q", answer, err, c.answers[i])
				}
			}
			if _, err := c.client.Next([]byte("more")); !errors.Is(err, errChallenge) {
				t.Errorf("one challenge too many: %v", err)
			}
		})
	}
}

func TestBearerCarriesTokenAndAddress(t *testing.T) {
	t.Parallel()
	_, initial, _ := NewXOAuth2("a@example.com", vault.NewSecret("tok")).Start()
	if want := "user=a@example.com\x01auth=Bearer tok\x01\x01"; string(initial) != want {
		t.Errorf("XOAUTH2 %q, want %q", initial, want)
	}
	_, initial, _ = NewOAuthBearer("a,b=c@example.com", "smtp.example.com", 587, vault.NewSecret("tok")).Start()
	if want := "n,a=a=2Cb=3Dc@example.com,\x01host=smtp.example.com\x01port=587\x01auth=Bearer tok\x01\x01"; string(initial) != want {
		t.Errorf("OAUTHBEARER %q, want %q", initial, want)
	}
}

func TestRefusedTokenEndsTheExchangeAndKeepsTheReason(t *testing.T) {
	t.Parallel()
	blob := `{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}`
	for mechanism, c := range map[string]*Bearer{
		"":     NewXOAuth2("a", vault.NewSecret("t")),
		"\x01": NewOAuthBearer("a", "h", 1, vault.NewSecret("t")),
	} {
		answer, err := c.Next([]byte(blob))
		if err != nil || answer == nil || string(answer) != mechanism {
			t.Errorf("answer %q, %v, want %q", answer, err, mechanism)
		}
		if got := c.Refusal(); got == nil || got.Status != "400" || got.Scope != "https://mail.google.com/" {
			t.Errorf("refusal %+v", got)
		}
		if _, err := c.Next([]byte(blob)); err == nil {
			t.Error("a second refusal was answered")
		}
	}
}

func TestParseRefusal(t *testing.T) {
	t.Parallel()
	cases := []struct {
		blob string
		want Refusal
	}{
		{`{"status":"invalid_token","scope":"email","openid-configuration":"https://id.example.com/x"}`,
			Refusal{Status: "invalid_token", Scope: "email", Config: "https://id.example.com/x"}},
		{`{"status":401,"schemes":"bearer mac"}`, Refusal{Status: "401", Schemes: "bearer mac"}},
		{"{\"status\":\"a\\r\\nb\\u202e\"}", Refusal{Status: "a  b "}},
		{`not json`, Refusal{}},
		{`["status"]`, Refusal{}},
		{``, Refusal{}},
	}
	for _, c := range cases {
		if got := *ParseRefusal([]byte(c.blob)); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.blob, got, c.want)
		}
	}
	long := ParseRefusal([]byte(`{"scope":"` + strings.Repeat("é", 1000) + `"}`))
	if len(long.Scope) > maxRefusal || strings.ContainsRune(long.Scope, '\uFFFD') {
		t.Errorf("a long member was not cut cleanly: %d bytes", len(long.Scope))
	}
}

func FuzzParseRefusal(f *testing.F) {
	f.Add([]byte(`{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}`))
	f.Add([]byte(`{"status":{"a":[1,2]}}`))
	f.Fuzz(func(t *testing.T, blob []byte) {
		if text := ParseRefusal(blob).Error(); strings.ContainsAny(text, "\r\n\x00") {
			t.Errorf("control characters reach people: %q", text)
		}
	})
}
