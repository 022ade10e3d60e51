package app

import (
	"context"
	"errors"
	"strings"

	"orbit/internal/account"
	"orbit/internal/mail/dial"
	"orbit/internal/problem"
	"orbit/internal/sandbox"
	"orbit/internal/vault"
)

// demoInbox is the account that reads what is sent to the demo's mailbox.
const demoInbox = "Demo inbox"

// seedInbox makes the account that reads the demo's mailbox, once, or lets the one that is there follow the sandbox.
func (d *Demo) seedInbox(ctx context.Context, o *Orbit) error {
	stored, err := o.Accounts.FindMailboxByName(ctx, demoInbox)
	switch {
	case errors.Is(err, problem.ErrNotFound) && d.state.SeededInbox:
		return nil
	case errors.Is(err, problem.ErrNotFound):
		return d.createInbox(ctx, o)
	case err == nil && d.inboxMoved(stored):
		_, err = o.Accounts.SaveMailbox(ctx, stored.ID, account.MailboxChange{
			MailboxSettings: d.pointInboxHere(stored.MailboxSettings), Version: stored.Version, Secret: vault.NewSecret(d.mailbox().Password),
		})
	}
	return err
}

func (d *Demo) createInbox(ctx context.Context, o *Orbit) error {
	m := d.mailbox()
	s := account.NewMailboxSettings()
	s.AccountName, s.CredentialID = demoInbox, account.NewCredentialID
	sender, err := o.Accounts.FindSMTPByName(ctx, demoAccount)
	if err == nil && sender.CredentialID != 0 {
		s.CredentialID = sender.CredentialID
	}
	_, err = o.Accounts.CreateMailbox(ctx, account.MailboxChange{
		MailboxSettings: d.pointInboxHere(s), Secret: vault.NewSecret(m.Password),
		NewCredential: account.NewCredential{Name: demoInbox, Username: m.Address},
	})
	if err != nil {
		return err
	}
	d.state.SeededInbox = true
	return d.state.save(d.dir)
}

// pointInboxHere leads an account to the sandbox.
func (d *Demo) pointInboxHere(s account.MailboxSettings) account.MailboxSettings {
	s.Address, s.Port = sandbox.Host, d.Sandbox.Ports.PasswordIMAP
	s.SecureConnectionType = dial.STARTTLS
	s.CertificateRule, s.CertificateCA = dial.CustomCA, d.Sandbox.Certificate.CA
	return s
}

func (d *Demo) inboxMoved(stored account.Mailbox) bool {
	return stored.Address == sandbox.Host && stored.CertificateRule == dial.CustomCA &&
		(stored.Port != d.Sandbox.Ports.PasswordIMAP || strings.TrimSpace(stored.CertificateCA) != strings.TrimSpace(d.Sandbox.Certificate.CA))
}
