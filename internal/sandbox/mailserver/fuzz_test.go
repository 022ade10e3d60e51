package mailserver

import (
	"strings"
	"testing"
)

func FuzzBearer(f *testing.F) {
	for _, seed := range []string{
		"user=a@b.c\x01auth=Bearer x\x01\x01", "n,a=a@b.c,\x01host=h\x01port=1\x01auth=Bearer x\x01\x01", "n,a=a=2Cb,\x01auth=bearer x\x01\x01",
		"", "\x01\x01", "user=\x01auth=\x01\x01", "n,,\x01\x01\x01", "y,a=,\x01auth=Bearer \x01\x01",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, response string) {
		for _, parse := range []func(string) (string, string, error){parseXOAuth2, parseOAuthBearer} {
			if username, token, err := parse(response); err == nil && (token == "" || strings.Contains(username, "\x01") || !strings.Contains(response, token)) {
				t.Errorf("%q gave %q, %q", response, username, token)
			}
		}
	})
}
