package account

import (
	"context"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"

	"orbit/internal/problem"
)

// CheckSMTP returns everything that stands in the way of storing an account, all at once: what the settings' own rules
// say, and what only the database knows. id is 0 for a new account. Storing asks again, in its transaction.
func (s *Service) CheckSMTP(ctx context.Context, id int64, c SMTPChange) error {
	c.SMTPSettings = c.Normalise()
	wrong := c.Validate()
	if err := s.checkName(ctx, &wrong, smtpNameTaken, id, c.AccountName); err != nil {
		return err
	}
	a := c.access()
	if id != 0 {
		before, err := s.FindSMTP(ctx, id)
		if err != nil {
			return err
		}
		a = a.after((SMTPChange{SMTPSettings: before.SMTPSettings}).access(), c.Active)
	}
	return s.checkAccess(ctx, wrong, a)
}

// CheckMailbox does the same for an IMAP/POP3 account.
func (s *Service) CheckMailbox(ctx context.Context, id int64, c MailboxChange) error {
	c.MailboxSettings = c.Normalise()
	wrong := c.Validate()
	if err := s.checkName(ctx, &wrong, mailboxNameTaken, id, c.AccountName); err != nil {
		return err
	}
	a := c.access()
	if id != 0 {
		before, err := s.FindMailbox(ctx, id)
		if err != nil {
			return err
		}
		a = a.after((MailboxChange{MailboxSettings: before.MailboxSettings}).access(), c.Active)
	}
	return s.checkAccess(ctx, wrong, a)
}

// checkName adds that another account has the name.
func (s *Service) checkName(ctx context.Context, wrong *problem.Invalid, question string, id int64, name string) error {
	if wrong.For("account_name") != "" {
		return nil
	}
	taken, err := isThere(ctx, s.pool, question, pgx.NamedArgs{"id": id, "name": name})
	if taken {
		*wrong = append(*wrong, anotherName(name)...)
	}
	return err
}

// checkAccess adds what is wrong with the way to the server and the sign-in there.
func (s *Service) checkAccess(ctx context.Context, wrong problem.Invalid, a access) error {
	if a.useConnector && a.connectorID != 0 {
		there, err := isThere(ctx, s.pool, connectorThere, pgx.NamedArgs{"id": a.connectorID})
		if err != nil {
			return err
		}
		if !there {
			wrong = append(wrong, connectorGone...)
		}
	}
	more, err := s.checkCredential(ctx, a, wrong)
	if err != nil {
		return err
	}
	for _, field := range more {
		if wrong.For(field.Name) == "" { // one sentence a field
			wrong = append(wrong, field)
		}
	}
	return wrong.Err()
}

// serverFields say where a secret goes. While one of them is wrong, nobody can tell whether it may.
var serverFields = []string{"smtp_host", "address", "port", "secure_connection_type", "certificate_rule", "certificate_fingerprint", "certificate_ca", "network_connector_id"}

// checkCredential returns what prepareCredential would object to.
func (s *Service) checkCredential(ctx context.Context, a access, wrong problem.Invalid) (more problem.Invalid, err error) {
	switch {
	case a.credentialID == NewCredentialID:
		err = renamed(s.credentials.CheckNew(ctx, a.newCredential.Name, a.newCredential.Username, a.newSecret()))
	case a.authentication != Password || a.credentialID == 0:
		return nil, nil
	default:
		err = s.checkStored(ctx, a, wrong)
	}
	if errors.As(err, &more) {
		return more, nil
	}
	return nil, err
}

func (s *Service) checkStored(ctx context.Context, a access, wrong problem.Invalid) error {
	stored, err := s.credentials.Find(ctx, a.credentialID)
	if errors.Is(err, problem.ErrNotFound) {
		return credentialGone
	}
	if err != nil || slices.ContainsFunc(serverFields, func(field string) bool { return wrong.For(field) != "" }) {
		return err
	}
	return s.credentials.CheckApproval(ctx, stored.ID, s.destination(a, stored.Username), a.secret)
}

// What is said about records that other accounts have, or that are gone, before storing and while doing so.
var (
	credentialGone = problem.Invalid{{Name: "credential_id", Text: "This credential no longer exists; choose another one."}}
	connectorGone  = problem.Invalid{{Name: "network_connector_id", Text: "This network connector no longer exists; choose another one."}}
)

func anotherName(taken string) problem.Invalid {
	return problem.Invalid{{Name: "account_name", Text: "There is already an account called " + taken + "; choose another name."}}
}
