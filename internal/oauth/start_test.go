package oauth

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"orbit/internal/mail/ladder"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

func TestStartLinkMakesAFreshStateAtEachVisit(t *testing.T) {
	b := interactive(t)
	link, err := b.StartLink(context.Background(), address)
	if err != nil {
		t.Fatal(err)
	}
	id, ok := strings.CutPrefix(link.URL, "https://orbit.example.com/email-oauth2-proxy-authorize/start/")
	if !ok || len(id) < 43 {
		t.Fatalf("link %s", link.URL)
	}
	again, err := b.StartLink(context.Background(), address)
	if err != nil || again.URL != link.URL {
		t.Errorf("a second link while the first is valid: %v, %v", again, err)
	}
	b.clock.advance(22 * time.Hour)
	first, err := b.VisitStart(context.Background(), id, nil)
	if err != nil {
		t.Fatal(err)
	}
	second, err := b.VisitStart(context.Background(), id, nil)
	if err != nil || first == second {
		t.Fatalf("the same state twice: %v", err)
	}
	c := b.provider.consent(second)
	if o := b.complete(c); !o.Authorised {
		t.Errorf("outcome %+v", o)
	}
	if _, err := b.VisitStart(context.Background(), id, nil); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("a used link still opens: %v", err)
	}
	if next, err := b.StartLink(context.Background(), address); err != nil || next.URL == link.URL {
		t.Errorf("no new link after the used one: %v", err)
	}
}

// Who signed in with the wrong mailbox is told to open the link once more.
func TestStartLinkStaysOpenUntilTheRightMailboxSignsIn(t *testing.T) {
	b := interactive(t)
	b.prover = ProverFunc(func(context.Context, string, vault.Secret) (string, error) {
		return "", &ladder.Error{Step: ladder.Auth, Fault: ladder.Fault{Code: "imap_not_connected", Authorise: true}}
	})
	link, err := b.StartLink(context.Background(), address)
	if err != nil {
		t.Fatal(err)
	}
	id := strings.TrimPrefix(link.URL, "https://orbit.example.com/email-oauth2-proxy-authorize/start/")
	arrive := func() Outcome {
		t.Helper()
		visit, err := b.VisitStart(context.Background(), id, nil)
		if err != nil {
			t.Fatal(err)
		}
		return b.complete(b.provider.consent(visit))
	}
	if o := arrive(); !o.Authorised || o.State != Failed {
		t.Errorf("outcome %+v", o)
	}
	b.prover = ProverFunc(func(context.Context, string, vault.Secret) (string, error) { return "SMTP", nil })
	if o := arrive(); o.State != Active {
		t.Errorf("outcome %+v", o)
	}
	if _, err := b.VisitStart(context.Background(), id, nil); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("a used link still opens: %v", err)
	}
}

func TestInvitationIsTheSentenceThatPeopleLookFor(t *testing.T) {
	b := interactive(t)
	first, err := b.Invite(context.Background(), address)
	if err != nil || first.Text != "Please visit the following URL to authenticate account "+address+": "+first.URL {
		t.Fatalf("%+v, %v", first, err)
	}
	if second, err := b.Invite(context.Background(), address); err != nil || second != first {
		t.Errorf("asked again: %+v, %v", second, err)
	}
	s := b.settings(DeviceCode)
	s.Pattern = "device@example.com"
	b.register(s, NewSecret{})
	d, err := b.Invite(context.Background(), "device@example.com")
	if err != nil || d.Text != "Visit "+b.provider.URL+"/activate and use code WDJB-MJHT" {
		t.Errorf("%+v, %v", d, err)
	}
}

func TestStartLinkEndsAfterADay(t *testing.T) {
	b := interactive(t)
	link, err := b.StartLink(context.Background(), address)
	if err != nil {
		t.Fatal(err)
	}
	b.clock.advance(24*time.Hour + time.Second)
	if _, err := b.VisitStart(context.Background(), link.URL[strings.LastIndex(link.URL, "/")+1:], nil); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("%v, want not found", err)
	}
}
