package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"orbit/internal/account"
	"orbit/internal/audit"
	"orbit/internal/config"
	"orbit/internal/mail/dial"
	"orbit/internal/problem"
	"orbit/internal/sandbox"
	"orbit/internal/sandbox/idp"
	"orbit/internal/vault"
)

// The demo's own names.
const (
	demoAccount       = "Demo mailbox"
	demoAdministrator = "admin"
)

// DemoPorts are those of the demo, always the same so that a demo that is started again finds its accounts.
func DemoPorts() sandbox.Ports {
	return sandbox.Ports{
		PasswordSMTP: 3025, PasswordIMAP: 3143, PasswordPOP3: 3110,
		Submission: 3587, SMTPS: 3465, IMAP: 3144, IMAPS: 3993, POP3: 3111, POP3S: 3995,
		Identity: 3080, Mail: 3081,
	}
}

// Demo is a mail provider beside Orbit, and the little that makes both ready to be tried.
type Demo struct {
	Sandbox       *sandbox.Sandbox
	Administrator string
	Password      string // "" when ORBIT_ADMIN_PASSWORD says it
	EnvFile       string // what other commands need to find this demo

	dir   string
	state demoState
}

// OpenDemo opens the sandbox and tells c about it: where mail may go, and who is administrator.
func OpenDemo(ctx context.Context, c *config.Config, ports sandbox.Ports, log *slog.Logger) (*Demo, error) {
	d := &Demo{dir: c.DataDir, Administrator: c.AdminUsername, EnvFile: filepath.Join(c.DataDir, "demo.env")}
	var err error
	if d.state, err = openDemoState(d.dir); err != nil {
		return nil, err
	}
	identity, err := d.identity(c)
	if err != nil {
		return nil, err
	}
	d.Sandbox, err = sandbox.New(ctx, sandbox.Options{Ports: ports, Certificate: &d.state.Certificate, Identity: identity, Log: log})
	if err != nil {
		return nil, err
	}
	if err := d.writeClientFiles(); err != nil {
		d.Sandbox.Close()
		return nil, err
	}
	c.AllowedDestinations = append(c.AllowedDestinations, d.destinations()...)
	if c.AdminUsername == "" {
		d.Administrator, d.Password = demoAdministrator, d.state.Password
		c.AdminUsername, c.AdminPassword = demoAdministrator, vault.NewSecret(d.state.Password)
	}
	return d, nil
}

// destinations are all ports of the sandbox, for the rules of the network.
func (d *Demo) destinations() []string {
	p := d.Sandbox.Ports
	ports := []int{p.PasswordSMTP, p.PasswordIMAP, p.PasswordPOP3, p.Submission, p.SMTPS, p.IMAP, p.IMAPS, p.POP3, p.POP3S, p.Identity}
	list := make([]string, len(ports))
	for i, port := range ports {
		list[i] = d.Sandbox.Address(port)
	}
	return list
}

// Seed makes the accounts through which the demo sends and reads. It does so once: an account that somebody has deleted
// or renamed stays so. One that is there follows the sandbox to another port.
func (d *Demo) Seed(ctx context.Context, o *Orbit) error {
	ctx = audit.WithActor(ctx, audit.Actor{Kind: audit.System, Name: "demo"})
	stored, err := o.Accounts.FindSMTPByName(ctx, demoAccount)
	switch {
	case errors.Is(err, problem.ErrNotFound) && !d.state.Seeded:
		err = d.seedAccount(ctx, o)
	case errors.Is(err, problem.ErrNotFound):
		err = nil
	case err == nil && d.moved(stored):
		err = d.follow(ctx, o, stored)
	}
	if err == nil {
		err = d.seedInbox(ctx, o)
	}
	if err != nil {
		return fmt.Errorf("prepare the demo: %w", err)
	}
	return d.writeEnvFile(o.Config)
}

// mailbox is as whom the demo sends.
func (d *Demo) mailbox() idp.Mailbox { return d.Sandbox.Identity.Mailboxes()[0] }

func (d *Demo) seedAccount(ctx context.Context, o *Orbit) error {
	m := d.mailbox()
	s := account.NewSMTPSettings()
	s.AccountName, s.DefaultAccount = demoAccount, true
	s.SenderEmail, s.SenderName = m.Address, "Orbit demo"
	s.ReplyToEmail, s.ReturnPathEmail, s.ConfirmationEmail = m.Address, m.Address, m.Address
	s.CredentialID = account.NewCredentialID
	_, err := o.Accounts.CreateSMTP(ctx, account.SMTPChange{
		SMTPSettings: d.pointHere(s), Secret: vault.NewSecret(m.Password),
		NewCredential: account.NewCredential{Name: demoAccount, Username: m.Address},
	})
	if err != nil {
		return err
	}
	d.state.Seeded = true
	return d.state.save(d.dir)
}

// pointHere leads an account to the sandbox.
func (d *Demo) pointHere(s account.SMTPSettings) account.SMTPSettings {
	s.SMTPHost, s.Port = sandbox.Host, d.Sandbox.Ports.PasswordSMTP
	s.CertificateRule, s.CertificateCA = dial.CustomCA, d.Sandbox.Certificate.CA
	return s
}

// moved reports whether the sandbox is elsewhere than the account says: its port was taken, or its certificate is new.
func (d *Demo) moved(stored account.SMTP) bool {
	return stored.SMTPHost == sandbox.Host && stored.CertificateRule == dial.CustomCA &&
		(stored.Port != d.Sandbox.Ports.PasswordSMTP || strings.TrimSpace(stored.CertificateCA) != strings.TrimSpace(d.Sandbox.Certificate.CA))
}

func (d *Demo) follow(ctx context.Context, o *Orbit, stored account.SMTP) error {
	_, err := o.Accounts.SaveSMTP(ctx, stored.ID, account.SMTPChange{
		SMTPSettings: d.pointHere(stored.SMTPSettings), Version: stored.Version, Secret: vault.NewSecret(d.mailbox().Password),
	})
	return err
}

// writeEnvFile lets other commands find this demo: `. demo.env`.
func (d *Demo) writeEnvFile(c config.Config) error {
	var text strings.Builder
	for _, variable := range [][2]string{
		{"ORBIT_DATA_DIR", c.DataDir}, {"ORBIT_LISTEN", c.Listen}, {"ORBIT_BASE_URL", c.BaseURL.String()},
		{"ORBIT_ALLOWED_DESTINATIONS", strings.Join(c.AllowedDestinations, ",")}, {"SSL_CERT_DIR", os.Getenv("SSL_CERT_DIR")},
	} {
		if variable[1] != "" {
			fmt.Fprintf(&text, "export %s='%s'\n", variable[0], strings.ReplaceAll(variable[1], "'", `'\''`))
		}
	}
	text.WriteString("unset ORBIT_DATABASE_URL ORBIT_DATABASE_URL_FILE ORBIT_KEYSET_FILE\n")
	return writeWhole(d.EnvFile, []byte(text.String()))
}

// newPassword is one that people can read out: 80 random bits.
func newPassword() string {
	text := rand.Text()
	return strings.Join([]string{text[:4], text[4:8], text[8:12], text[12:16]}, "-")
}
