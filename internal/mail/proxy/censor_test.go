package proxy

import (
	"strings"
	"testing"
)

func TestCensor(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("dXNlcj1hbGVydHNAZXhhbXBsZS5jb20B", 4)
	for in, want := range map[string]string{
		"502 unknown AUTH XOAUTH2 " + long + " sorry":                                              "502 unknown AUTH XOAUTH2 [secret] sorry",
		"auth=Bearer abcdefgh rest":                                                                "auth=Bearer [secret] rest",
		"the server offers neither XOAUTH2 nor OAUTHBEARER":                                        "the server offers neither XOAUTH2 nor OAUTHBEARER",
		"status 400, schemes bearer, scope https://mail.google.com/":                               "status 400, schemes bearer, scope https://mail.google.com/",
		"http://127.0.0.1:8080" + "/email-oauth2-proxy-authorize/start/" + strings.Repeat("A", 52): "http://127.0.0.1:8080" + "/email-oauth2-proxy-authorize/start/" + strings.Repeat("A", 52),
		"pinned " + strings.Repeat("ab", 32):                                                       "pinned " + strings.Repeat("ab", 32),
	} {
		if got := Censor(in); got != want {
			t.Errorf("Censor(%q) = %q, want %q", in, got, want)
		}
	}
}
