package account

import (
	"reflect"
	"strings"
	"testing"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/fetch"
)

// office365Mailbox is the account of the documented walk: through the embedded proxy on this machine.
func office365Mailbox() MailboxSettings {
	return MailboxSettings{
		AccountName: "Office365 inbox", KeepCopyOnServer: true, AutomaticCheck: true, Active: true,
		Address: "127.0.0.1", Port: 2993, Protocol: fetch.IMAP, CredentialID: 1, IgnoreCertificate: true,
	}
}

func TestTheDocumentsMailboxIsValid(t *testing.T) {
	t.Parallel()
	settings := office365Mailbox().Normalise()
	if err := settings.Validate().Err(); err != nil {
		t.Fatal(err)
	}
	if settings.Folder != "INBOX" || settings.AuthenticationType != Password || settings.CertificateRule != dial.Verify {
		t.Errorf("what was left out must be filled in: %+v", settings)
	}
}

func TestAnEmptyMailboxFormLacksOnlyWhatAPersonKnows(t *testing.T) {
	t.Parallel()
	settings := NewMailboxSettings()
	if settings.Normalise() != settings {
		t.Errorf("the empty form is normal: %+v", settings.Normalise())
	}
	invalid := settings.Validate()
	for _, field := range []string{"account_name", "address", "credential_id"} {
		if invalid.For(field) == "" {
			t.Errorf("want a problem with %s", field)
		}
	}
	if len(invalid) != 3 {
		t.Errorf("want three problems, got %v", invalid)
	}
}

func TestNormaliseMailbox(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func(*MailboxSettings)
		right  func(MailboxSettings) bool
	}{
		"no secure connection":    {func(m *MailboxSettings) { m.SecureConnectionType = dial.Implicit }, func(m MailboxSettings) bool { return m.SecureConnectionType == dial.Plain }},
		"no connector":            {func(m *MailboxSettings) { m.NetworkConnectorID = 7 }, func(m MailboxSettings) bool { return m.NetworkConnectorID == 0 }},
		"blanks":                  {func(m *MailboxSettings) { m.AccountName, m.Address = " a ", " IMAP.Example.COM. " }, func(m MailboxSettings) bool { return m.AccountName == "a" && m.Address == "imap.example.com" }},
		"POP3 knows no folders":   {func(m *MailboxSettings) { m.Protocol, m.Folder = fetch.POP3, "Archive" }, func(m MailboxSettings) bool { return m.Folder == "" }},
		"inbox in any case":       {func(m *MailboxSettings) { m.Folder = "Inbox " }, func(m MailboxSettings) bool { return m.Folder == "INBOX" }},
		"other folders as typed":  {func(m *MailboxSettings) { m.Folder = "Answers/ü " }, func(m MailboxSettings) bool { return m.Folder == "Answers/ü " }},
		"port of IMAP":            {func(m *MailboxSettings) { m.Port = 0 }, func(m MailboxSettings) bool { return m.Port == 143 }},
		"port of POP3 over TLS":   {func(m *MailboxSettings) { m.Port, m.Protocol = 0, fetch.POP3; implicit(m) }, func(m MailboxSettings) bool { return m.Port == 995 }},
		"port of IMAP over TLS":   {func(m *MailboxSettings) { m.Port = 0; implicit(m) }, func(m MailboxSettings) bool { return m.Port == 993 }},
		"port of POP3":            {func(m *MailboxSettings) { m.Port, m.Protocol = 0, fetch.POP3 }, func(m MailboxSettings) bool { return m.Port == 110 }},
		"fingerprint without pin": {func(m *MailboxSettings) { m.CertificateFingerprint = "ab" }, func(m MailboxSettings) bool { return m.CertificateFingerprint == "" }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := office365Mailbox()
			c.change(&settings)
			if settings = settings.Normalise(); !c.right(settings) {
				t.Errorf("%+v", settings)
			}
		})
	}
}

func implicit(m *MailboxSettings) {
	m.UseSecureConnection, m.SecureConnectionType = true, dial.Implicit
}

func TestValidateMailboxNamesEachField(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func(*MailboxSettings)
		field  string
	}{
		"no name":                 {func(m *MailboxSettings) { m.AccountName = " " }, "account_name"},
		"long name":               {func(m *MailboxSettings) { m.AccountName = strings.Repeat("ü", 101) }, "account_name"},
		"line break in name":      {func(m *MailboxSettings) { m.AccountName = "a\r\nb" }, "account_name"},
		"no address":              {func(m *MailboxSettings) { m.Address = "" }, "address"},
		"address with scheme":     {func(m *MailboxSettings) { m.Address = "imaps://imap.example.com" }, "address"},
		"address with port":       {func(m *MailboxSettings) { m.Address = "imap.example.com:993" }, "address"},
		"port":                    {func(m *MailboxSettings) { m.Port = 70000 }, "port"},
		"negative port":           {func(m *MailboxSettings) { m.Port = -1 }, "port"},
		"protocol":                {func(m *MailboxSettings) { m.Protocol = "jmap" }, "protocol"},
		"secure without type":     {func(m *MailboxSettings) { m.UseSecureConnection = true }, "secure_connection_type"},
		"unknown type":            {func(m *MailboxSettings) { m.UseSecureConnection, m.SecureConnectionType = true, "quic" }, "secure_connection_type"},
		"no credential":           {func(m *MailboxSettings) { m.CredentialID = 0 }, "credential_id"},
		"no mailbox for a token":  {func(m *MailboxSettings) { m.CredentialID, m.AuthenticationType = 0, OAuth2 }, "credential_id"},
		"authentication":          {func(m *MailboxSettings) { m.AuthenticationType = "ntlm" }, "authentication_type"},
		"pin without fingerprint": {func(m *MailboxSettings) { m.IgnoreCertificate, m.CertificateRule = false, dial.Pin }, "certificate_fingerprint"},
		"CA without certificate":  {func(m *MailboxSettings) { m.IgnoreCertificate, m.CertificateRule = false, dial.CustomCA }, "certificate_ca"},
		"unknown rule":            {func(m *MailboxSettings) { m.IgnoreCertificate, m.CertificateRule = false, "hope" }, "certificate_rule"},
		"line break in folder":    {func(m *MailboxSettings) { m.Folder = "a\r\nb" }, "folder"},
		"long folder":             {func(m *MailboxSettings) { m.Folder = strings.Repeat("x", 256) }, "folder"},
		"two authserv-ids":        {func(m *MailboxSettings) { m.AuthservID = "mx.example.com; spf=pass" }, "authserv_id"},
		"long authserv-id":        {func(m *MailboxSettings) { m.AuthservID = strings.Repeat("x", 254) }, "authserv_id"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := office365Mailbox()
			c.change(&settings)
			invalid := settings.Normalise().Validate()
			if invalid.For(c.field) == "" {
				t.Fatalf("want a problem with %s, got %v", c.field, invalid)
			}
			if len(invalid) != 1 {
				t.Errorf("want one problem, got %v", invalid)
			}
		})
	}
}

// Label answers for both kinds of account.
func TestWhatBothAccountsHaveIsCalledTheSame(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for f := range reflect.TypeFor[SMTPSettings]().Fields() {
		seen[f.Tag.Get("db")] = f.Tag.Get("label")
	}
	for f := range reflect.TypeFor[MailboxSettings]().Fields() {
		name, label := f.Tag.Get("db"), f.Tag.Get("label")
		if other, both := seen[name]; both && other != label {
			t.Errorf("%s is %q there and %q here", name, other, label)
		}
		if name != f.Tag.Get("form") && name+",lines" != f.Tag.Get("form") || !strings.HasPrefix(f.Tag.Get("json"), name) {
			t.Errorf("%s has other names elsewhere: %s", f.Name, f.Tag)
		}
	}
}
