package account

import (
	"strings"
	"testing"

	"orbit/internal/mail/dial"
)

// office365 is the account of the documented walk: through the embedded proxy on this machine.
func office365() SMTPSettings {
	return SMTPSettings{
		AccountName: "Office365", Active: true, SenderEmail: "alerts@example.com", DefaultAccount: true,
		SendReadConfirmation: true, SMTPHost: "127.0.0.1", Port: 2465,
		UseAuthentication: true, CredentialID: 1, IgnoreCertificateError: true,
	}
}

func TestTheDocumentsAccountIsValid(t *testing.T) {
	t.Parallel()
	settings := office365().Normalise()
	if err := settings.Validate().Err(); err != nil {
		t.Fatal(err)
	}
	if settings.ReplyToEmail != settings.SenderEmail || settings.ReturnPathEmail != settings.SenderEmail {
		t.Errorf("blank addresses must become the sender's: %+v", settings)
	}
}

func TestSwitchedOffMeansCleared(t *testing.T) {
	t.Parallel()
	settings := office365()
	settings.SecureConnectionType = dial.STARTTLS
	settings.UseAuthentication = false
	settings.NetworkConnectorID = 7
	settings = settings.Normalise()
	if settings.SecureConnectionType != dial.Plain || settings.CredentialID != 0 || settings.NetworkConnectorID != 0 {
		t.Errorf("dependents of a switch set to No must be cleared: %+v", settings)
	}
}

func TestValidateNamesEachField(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		change func(*SMTPSettings)
		field  string
	}{
		"no name":                  {func(s *SMTPSettings) { s.AccountName = " " }, "account_name"},
		"long name":                {func(s *SMTPSettings) { s.AccountName = strings.Repeat("ü", 101) }, "account_name"},
		"line break in name":       {func(s *SMTPSettings) { s.AccountName = "a\r\nBcc: x" }, "account_name"},
		"line break in sender":     {func(s *SMTPSettings) { s.SenderEmail = "a@b.example\r\nBcc: c@d.example" }, "sender_email"},
		"no sender":                {func(s *SMTPSettings) { s.SenderEmail = "" }, "sender_email"},
		"two senders":              {func(s *SMTPSettings) { s.SenderEmail = "a@example.com, b@example.com" }, "sender_email"},
		"sender with display name": {func(s *SMTPSettings) { s.SenderEmail = "A <a@example.com>" }, "sender_email"},
		"reply-to without domain":  {func(s *SMTPSettings) { s.ReplyToEmail = "a@" }, "reply_to_email"},
		"return path":              {func(s *SMTPSettings) { s.ReturnPathEmail = "nobody" }, "return_path_email"},
		"confirmation":             {func(s *SMTPSettings) { s.ConfirmationEmail = "x y@example.com" }, "confirmation_email"},
		"no host":                  {func(s *SMTPSettings) { s.SMTPHost = "" }, "smtp_host"},
		"host with a hole":         {func(s *SMTPSettings) { s.SMTPHost = "mail..example.com" }, "smtp_host"},
		"no address":               {func(s *SMTPSettings) { s.SMTPHost = "192.0.2.256" }, "smtp_host"},
		"host with scheme":         {func(s *SMTPSettings) { s.SMTPHost = "smtp://mail.example.com" }, "smtp_host"},
		"host with port":           {func(s *SMTPSettings) { s.SMTPHost = "mail.example.com:25" }, "smtp_host"},
		"port":                     {func(s *SMTPSettings) { s.Port = 70000 }, "port"},
		"negative port":            {func(s *SMTPSettings) { s.Port = -1 }, "port"},
		"secure without type":      {func(s *SMTPSettings) { s.UseSecureConnection = true; s.SecureConnectionType = "" }, "secure_connection_type"},
		"unknown type":             {func(s *SMTPSettings) { s.UseSecureConnection = true; s.SecureConnectionType = "quic" }, "secure_connection_type"},
		"no credential":            {func(s *SMTPSettings) { s.CredentialID = 0 }, "credential_id"},
		"authentication":           {func(s *SMTPSettings) { s.AuthenticationType = "ntlm" }, "authentication_type"},
		"pin without fingerprint":  {func(s *SMTPSettings) { s.IgnoreCertificateError = false; s.CertificateRule = dial.Pin }, "certificate_fingerprint"},
		"CA without certificate":   {func(s *SMTPSettings) { s.IgnoreCertificateError = false; s.CertificateRule = dial.CustomCA }, "certificate_ca"},
		"unknown rule":             {func(s *SMTPSettings) { s.IgnoreCertificateError = false; s.CertificateRule = "hope" }, "certificate_rule"},
		"connections":              {func(s *SMTPSettings) { s.MaxConnections = -1 }, "max_connections"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings := office365()
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

func TestValidateReportsEverythingAtOnce(t *testing.T) {
	t.Parallel()
	if invalid := (SMTPSettings{UseAuthentication: true}).Normalise().Validate(); len(invalid) < 4 {
		t.Errorf("want name, sender, host and credential at once, got %v", invalid)
	}
}

func TestHostsAndFingerprintsAreTakenAsPeoplePasteThem(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		" Mail.Example.COM. ": "mail.example.com", "[2001:db8::25]": "2001:db8::25", "MÜLLER.example": "müller.example", "my_relay": "my_relay",
	} {
		settings := office365()
		settings.SMTPHost = typed
		settings = settings.Normalise()
		if settings.SMTPHost != want || settings.Validate().For("smtp_host") != "" {
			t.Errorf("%q became %q: %v", typed, settings.SMTPHost, settings.Validate())
		}
	}
	fingerprint := strings.Repeat("AB:", 31) + "CD"
	settings := office365()
	settings.IgnoreCertificateError, settings.CertificateRule = false, dial.Pin
	settings.CertificateFingerprint = "sha256 Fingerprint=" + fingerprint
	if err := settings.Normalise().Validate().Err(); err != nil {
		t.Error(err)
	}
}

func TestASecretBelongsToItsDestination(t *testing.T) {
	t.Parallel()
	secured := func() SMTPSettings {
		settings := office365()
		settings.UseSecureConnection, settings.SecureConnectionType = true, dial.STARTTLS
		return settings
	}
	base := secured().Normalise().Destination("alerts@example.com").String()
	for name, change := range map[string]func(*SMTPSettings){
		"host":        func(s *SMTPSettings) { s.SMTPHost = "mail.attacker.example" },
		"port":        func(s *SMTPSettings) { s.Port = 25 },
		"TLS":         func(s *SMTPSettings) { s.SecureConnectionType = dial.Implicit },
		"certificate": func(s *SMTPSettings) { s.IgnoreCertificateError = false },
		"connector":   func(s *SMTPSettings) { s.UseNetworkConnector, s.NetworkConnectorID = true, 2 },
	} {
		settings := secured()
		change(&settings)
		if settings.Normalise().Destination("alerts@example.com").String() == base {
			t.Errorf("another %s must be another destination", name)
		}
	}
	if secured().Normalise().Destination("bob@example.com").String() == base {
		t.Error("another username must be another destination")
	}
}
