package idp_test

import (
	"fmt"
	"testing"

	"github.com/emersion/go-imap/v2/imapclient"

	"orbit/internal/mail/mailtest"
	"orbit/internal/mail/sasl"
	"orbit/internal/sandbox/idp"
	"orbit/internal/vault"
)

// A real Dovecot believes the provider's introspection endpoint.
func TestDovecotTakesTheTokens(t *testing.T) {
	t.Parallel()
	s := start(t, idp.Options{})
	dovecot := mailtest.Dovecot(t, mailtest.DovecotOptions{Introspection: s.Endpoints.Introspect})
	signIn := func(token string) error {
		client, err := imapclient.DialInsecure(fmt.Sprintf("127.0.0.1:%d", dovecot.IMAP), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = client.Close() }()
		return client.Authenticate(sasl.NewXOAuth2(bea, vault.NewSecret(token)))
	}
	if err := signIn(s.Identity.AccessToken(bea)); err != nil {
		t.Error(err)
	}
	if signIn("wrong") == nil {
		t.Error("a wrong token is taken")
	}
}
