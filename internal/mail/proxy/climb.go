package proxy

import (
	"context"
	"slices"
	"strings"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/sasl"
	"orbit/internal/vault"
)

// Climb visits a listener's server for a person who watches: each step is a rung of the ladder in ctx, and the code
// is that of the sessions. Token brings the token to sign in with; without it the visit ends before. A failure has
// the meaning of Explain, and stands on the ladder, too.
func Climb(ctx context.Context, b Backend, l Listener, account Account, known explain.Context, token func(context.Context) (vault.Secret, error)) *ladder.Error {
	ctx, cancel := context.WithTimeout(ctx, upstreamTime)
	defer cancel()
	err := climb(ctx, b, l, account, token)
	if err == nil {
		return nil
	}
	failed := Explain(l, known, err)
	failed.Fault.Cause, failed.Fault.Reply = Censor(failed.Fault.Cause), Censor(failed.Fault.Reply)
	rungs := ladder.From(ctx)
	steps := rungs.Steps()
	if n := len(steps); n == 0 || steps[n-1].Fault == nil && steps[n-1].Done {
		rungs.Begin(failed.Step, "Visit")
	} else if !steps[n-1].Done {
		failed.Step = steps[n-1].Name
	} else {
		return failed // the step itself has said it
	}
	_ = rungs.Fail(failed.Step, failed.Fault, err)
	return failed
}

func climb(ctx context.Context, b Backend, l Listener, account Account, token func(context.Context) (vault.Secret, error)) error {
	s, err := reach(ctx, b, l, account)
	if err != nil {
		return err
	}
	defer s.close()
	return s.within(ctx, func() error {
		d, err := s.introduce(ctx, anonymousHello)
		if err != nil {
			return err
		}
		if _, err := s.bearer(account, vault.NewSecret("a token")); err != nil || token == nil {
			d.farewell()
			return err
		}
		return s.climbOn(ctx, d, account, token)
	})
}

// climbOn gets the token and signs in.
func (s *server) climbOn(ctx context.Context, d dialect, account Account, token func(context.Context) (vault.Secret, error)) error {
	rungs := s.ladder
	rungs.Begin(ladder.Token, "Access token")
	access, err := token(ctx)
	if err != nil {
		return err
	}
	rungs.End("there is a valid token")
	rungs.Begin(ladder.Auth, "Sign-in")
	if err := s.signIn(d, account, access); err != nil {
		return err
	}
	rungs.End("accepted as %s", account.Mailbox)
	d.farewell()
	return nil
}

// signIns says how a server lets programs sign in.
func (o offer) signIns() string {
	var oauth, others []string
	for mechanism := range o.mechanisms() {
		if mechanism == sasl.XOAuth2 || mechanism == sasl.OAuthBearer {
			oauth = append(oauth, mechanism)
		} else {
			others = append(others, mechanism)
		}
	}
	slices.Sort(oauth)
	slices.Sort(others)
	switch {
	case len(oauth) > 0:
		return "OAuth 2.0 by " + strings.Join(oauth, " and ")
	case len(others) > 0:
		return "sign-in by " + strings.Join(others, ", ") + ", none with OAuth 2.0"
	}
	return "no word on how to sign in"
}
