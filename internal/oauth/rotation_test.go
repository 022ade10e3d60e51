package oauth

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/problem"
	"orbit/internal/vault"
)

func TestSecretIsChangedInTwoSlots(t *testing.T) {
	b := setup(t)
	r := b.register(b.settings(ClientCredentials), sharedSecret())
	b.provider.script(func(form url.Values) (int, any) {
		if s := form.Get("client_secret"); s != "client-secret" && s != "next-secret" {
			return refuse("invalid_client", "AADSTS7000215: Invalid client secret provided.")(nil)
		}
		return 0, nil
	})
	ask := func() string {
		t.Helper()
		b.clock.advance(2 * time.Hour)
		b.token(address)
		return b.provider.last().Get("client_secret")
	}
	add := func(text string) {
		t.Helper()
		var err error
		if r, err = b.AddSecret(asAdmin(), r.ID, NewSecret{Secret: vault.NewSecret(text)}); err != nil {
			t.Fatal(err)
		}
	}
	add("wrong-secret")
	proof, err := b.ProveSecret(asAdmin(), r.ID)
	if err != nil || proof.Proven || proof.Fault == nil || proof.Fault.Code != "AADSTS7000215" {
		t.Errorf("a wrong secret: %+v, %v", proof, err)
	}
	var confirm *problem.Confirm
	if _, err := b.SwitchSecret(asAdmin(), r.ID, false); !errors.As(err, &confirm) {
		t.Errorf("switched to a secret that was never accepted: %v", err)
	}
	add("next-secret")
	if proof, err = b.ProveSecret(asAdmin(), r.ID); err != nil || !proof.Proven {
		t.Errorf("the right secret: %+v, %v", proof, err)
	}
	if got := ask(); got != "client-secret" {
		t.Errorf("%s is used before the switch", got)
	}
	for _, want := range []string{"next-secret", "client-secret"} { // there and back
		if r, err = b.SwitchSecret(asAdmin(), r.ID, false); err != nil {
			t.Fatal(err)
		}
		if got := ask(); got != want {
			t.Errorf("%s is used, want %s", got, want)
		}
	}
	if r, err = b.RemoveSecret(asAdmin(), r.ID); err != nil || len(r.Secrets) != 1 || r.Secrets[0].Slot != r.ActiveSlot {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestSecretOfAnInteractiveFlowIsProvenWithoutTouchingAGrant(t *testing.T) {
	b := setup(t)
	r := b.register(b.settings(AuthorizationCode), sharedSecret())
	b.authorise(address)
	before := b.count("select generation from oauth_grant")
	proof, err := b.ProveSecret(asAdmin(), r.ID)
	if err != nil || !proof.Proven {
		t.Errorf("%+v, %v", proof, err)
	}
	if b.count("select generation from oauth_grant") != before {
		t.Error("a grant was changed")
	}
	b.wantState(address, Waiting)
}

func TestExpiryIsAnnouncedOncePerThreshold(t *testing.T) {
	b := setup(t)
	var told []int
	b.options.Expiring = func(_ context.Context, _ pgx.Tx, e Expiring) error {
		told = append(told, e.Threshold)
		return nil
	}
	b.Service = b.process()
	end := b.clock.Now().AddDate(0, 0, 100)
	s := b.settings(AuthorizationCode)
	secret := sharedSecret()
	secret.ExpiresAt = &end
	b.register(s, secret)
	for range 101 {
		if err := b.warnExpiring(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := b.process().warnExpiring(context.Background()); err != nil {
			t.Fatal(err)
		}
		b.clock.advance(24 * time.Hour)
	}
	if !slices.Equal(told, []int{60, 30, 14, 7, 1}) {
		t.Errorf("announced %v", told)
	}
	all, err := b.Expiring(context.Background(), end.AddDate(0, 0, -6))
	if err != nil || len(all) != 1 || all[0].Days != 6 || all[0].Threshold != 7 || !strings.Contains(all[0].Text(), "in 6 days") {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestCertificateKnowsItsEnd(t *testing.T) {
	b := setup(t)
	end := time.Now().AddDate(0, 0, 20).Truncate(time.Second)
	r := b.register(b.settings(ClientCredentials), certificate(t, end))
	secret, ok := r.Active()
	if !ok || secret.Kind != ClientCertificate || !secret.ExpiresAt.Equal(end) || len(secret.Thumbprint) != 64 {
		t.Errorf("%+v", secret)
	}
	all, err := b.Expiring(context.Background(), time.Now())
	if err != nil || len(all) != 1 || all[0].Threshold != 30 {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestResealingKeepsEverythingOpen(t *testing.T) {
	b := authorised(t)
	n, err := b.Reseal(context.Background())
	if err != nil || n != 0 {
		t.Fatalf("%d, %v: nothing is sealed by an older key", n, err)
	}
	before := b.token(address)
	keys, err := b.box.Rotate()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.box.Reload(keys); err != nil {
		t.Fatal(err)
	}
	if n, err = b.Reseal(context.Background()); err != nil || n != 3 { // client secret, access and refresh token
		t.Fatalf("%d, %v", n, err)
	}
	b.Service = b.process()
	if b.token(address) != before {
		t.Error("another token")
	}
	if n, err = b.Reseal(context.Background()); err != nil || n != 0 {
		t.Errorf("%d, %v: resealed twice", n, err)
	}
}
