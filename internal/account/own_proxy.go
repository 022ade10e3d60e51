package account

import (
	"context"
	"errors"

	"orbit/internal/mail/ladder"
)

// behindOwn explains a sign-in that Orbit's own proxy refused. The proxy tells its clients little; what really
// stands in the way, a missing authorisation or a refusal of the provider, is known here.
func (s *Service) behindOwn(ctx context.Context, c SMTPChange, err error) error {
	var failed *ladder.Error
	if !errors.As(err, &failed) || failed.Step != ladder.Auth || s.tokens == nil || !s.own(c.SMTPHost, c.Port) {
		return err
	}
	address := c.NewCredential.Username
	if c.CredentialID != NewCredentialID {
		stored, lost := s.credentials.Find(ctx, c.CredentialID)
		if lost != nil {
			return err
		}
		address = stored.Username
	}
	_, _, trouble := s.tokens.Source(address).Token(ctx)
	var behind *ladder.Error
	if !errors.As(trouble, &behind) {
		return err
	}
	fault := behind.Fault
	fault.Reply = failed.Fault.Reply
	return &ladder.Error{Step: ladder.Auth, Fault: fault, Err: err}
}

// withFault puts the better explanation into the step that failed.
func withFault(steps []ladder.Step, fault ladder.Fault) []ladder.Step {
	for i := range steps {
		if steps[i].Fault != nil {
			steps[i].Fault = &fault
		}
	}
	return steps
}
