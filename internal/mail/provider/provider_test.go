package provider

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"
)

func TestByHost(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]ID{
		"smtp.office365.com": Microsoft365, "OUTLOOK.office365.com.": Microsoft365, "smtp-mail.outlook.com": Microsoft365,
		"example-com.mail.protection.outlook.com": Microsoft365, "example-com.p-v1.mx.microsoft": Microsoft365,
		"example-com.mail.protection.partner.outlook.cn": Microsoft365, "smtp.office365.us": Microsoft365,
		"smtp.gmail.com": Google, "aspmx.l.google.com": Google, "alt1.gmail-smtp-in.l.google.com": Google,
		"email-smtp.eu-west-1.amazonaws.com": SES, "smtp.sendgrid.net": SendGrid, "smtp.eu.mailgun.org": Mailgun,
		"smtp.postmarkapp.com": Postmark, "smtppro.zoho.eu": Zoho, "in1-smtp.messagingengine.com": Fastmail,
		"mta5.am0.yahoodns.net": Yahoo, "smtp.aol.com": Yahoo,
		"mail.example.com": Other, "notgmail.com": Other, "gmail.com.example.org": Other, "": Other,
	} {
		if got := ByHost(host); got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
}

func TestPresets(t *testing.T) {
	t.Parallel()
	all := Presets()
	if all[len(all)-1].ID != Other {
		t.Error("other is not the last choice")
	}
	for _, p := range all {
		if Find(p.ID).Name != p.Name {
			t.Errorf("%s is not found", p.ID)
		}
		if p.ID != Other && ByHost(p.SMTP.Host) != p.ID {
			t.Errorf("%s is not the provider of %s", p.ID, p.SMTP.Host)
		}
		for _, s := range []Server{p.SMTP, p.IMAP, p.POP3} {
			if s.Security == implicit && s.Port != 465 && s.Port != 993 && s.Port != 995 || s.Security == starttls && s.Port != 587 {
				t.Errorf("%s: port %d does not go with %q", p.ID, s.Port, s.Security)
			}
		}
		for _, o := range p.OAuth {
			for _, address := range []string{o.PermissionURL, o.TokenURL, o.DeviceURL} {
				u, err := url.Parse(address)
				if address != "" && (err != nil || u.Scheme != "https" || ByAuthority(u.Hostname()) != p.ID) {
					t.Errorf("%s: %s", p.ID, address)
				}
			}
			if o.Scope == "" || o.Name == "" {
				t.Errorf("%s: %+v", p.ID, o)
			}
		}
	}
	if Find("unheard of").ID != Other {
		t.Error("an unknown provider is not other")
	}
	if l := LimitsFor(Other, "smtp.office365.com"); l.MaxConnections != 3 || l.MaxMessagesPerMinute != 30 || l.MaxRecipientsPerDay != 10000 {
		t.Errorf("Microsoft 365: %+v", l)
	}
}

func TestClouds(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://login.microsoftonline.com/t/oauth2/v2.0/token":        "worldwide",
		"https://login.partner.microsoftonline.cn/t/oauth2/v2.0/token": "china",
		"https://LOGIN.microsoftonline.us/t/oauth2/v2.0/token":         "us_government",
		"https://oauth2.googleapis.com/token":                          "worldwide",
		"":                                                             "worldwide", "::": "worldwide",
	} {
		if got := CloudOf(address).ID; got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	for _, c := range Clouds() {
		if CloudOfServer(c.SMTP).ID != c.ID || CloudOfServer(strings.ToUpper(c.IMAP)).ID != c.ID {
			t.Errorf("%s is not the cloud of its own servers", c.ID)
		}
	}
	if got := CloudOfServer("smtp.office365.us").Connect(); got != "Connect-ExchangeOnline -ExchangeEnvironmentName O365USGovGCCHigh" {
		t.Error(got)
	}
}

// scripted answers like a name server that knows one domain.
type scripted struct {
	mx  []*net.MX
	srv map[string][]*net.SRV
}

func (s scripted) LookupMX(context.Context, string) ([]*net.MX, error) {
	if s.mx == nil {
		return nil, errors.New("no such host")
	}
	return s.mx, nil
}

func (s scripted) LookupSRV(_ context.Context, service, _, _ string) (string, []*net.SRV, error) {
	return "", s.srv[service], nil
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	mx := func(hosts ...string) scripted {
		var s scripted
		for i, h := range hosts {
			s.mx = append(s.mx, &net.MX{Host: h, Pref: uint16(100 - i)})
		}
		return s
	}
	srv := func(records map[string][]*net.SRV) scripted { return scripted{srv: records} }
	for _, c := range []struct {
		address  string
		resolver Resolver
		provider ID
		smtp     Server
		imap     string
	}{
		{"info@gmail.com", nil, Google, Server{"smtp.gmail.com", 587, starttls}, "imap.gmail.com"},
		{"Info@GMail.com ", nil, Google, Server{"smtp.gmail.com", 587, starttls}, "imap.gmail.com"},
		{"info@hotmail.fr", nil, Microsoft365, Server{"smtp-mail.outlook.com", 587, starttls}, "outlook.office365.com"},
		{"info@yahoo.co.uk", nil, Yahoo, Server{"smtp.mail.yahoo.com", 465, implicit}, "imap.mail.yahoo.com"},
		{"info@aol.com", nil, Yahoo, Server{"smtp.aol.com", 465, implicit}, "imap.aol.com"},
		{"info@zohomail.eu", nil, Zoho, Server{"smtp.zoho.eu", 465, implicit}, "imap.zoho.eu"},
		{"info@contoso.onmicrosoft.com", nil, Microsoft365, Server{"smtp.office365.com", 587, starttls}, "outlook.office365.com"},
		{"info@contoso.partner.onmschina.cn", nil, Microsoft365, Server{"smtp.partner.outlook.cn", 587, starttls}, "partner.outlook.cn"},
		{"info@example.com", mx("example-com.mail.protection.outlook.com."), Microsoft365, Server{"smtp.office365.com", 587, starttls}, "outlook.office365.com"},
		{"info@example.com", mx("example-com.mail.protection.office365.us."), Microsoft365, Server{"smtp.office365.us", 587, starttls}, "outlook.office365.us"},
		{"info@example.com", mx("backup.example.com.", "ASPMX.L.GOOGLE.COM."), Google, Server{"smtp.gmail.com", 587, starttls}, "imap.gmail.com"},
		{"info@example.com", mx("mx.zoho.eu."), Zoho, Server{"smtppro.zoho.eu", 465, implicit}, "imappro.zoho.eu"},
		{"info@example.com", mx("inbound-smtp.eu-west-1.amazonaws.com."), SES, Server{"email-smtp.eu-west-1.amazonaws.com", 587, starttls}, ""},
		{"info@bücher.example", mx("in1-smtp.messagingengine.com."), Fastmail, Server{"smtp.fastmail.com", 465, implicit}, "imap.fastmail.com"},
		{"info@example.com", srv(map[string][]*net.SRV{
			"submission":  {{Target: "mail.example.com.", Port: 587}},
			"submissions": {{Target: "mail.example.com.", Port: 465}},
			"imaps":       {{Target: "imap.example.com.", Port: 993}},
		}), Other, Server{"mail.example.com", 465, implicit}, "imap.example.com"},
		{"info@example.com", srv(map[string][]*net.SRV{
			"submission":  {{Target: "mail.example.com.", Port: 587}},
			"submissions": {{Target: ".", Port: 0}},
		}), Other, Server{"mail.example.com", 587, starttls}, ""},
		{"info@example.com", srv(map[string][]*net.SRV{"submission": {{Target: "smtp.fastmail.com.", Port: 587}}}), Fastmail, Server{"smtp.fastmail.com", 587, starttls}, ""},
	} {
		t.Run(c.address+" "+c.smtp.Host, func(t *testing.T) {
			t.Parallel()
			got, ok := Suggest(t.Context(), c.resolver, c.address)
			if !ok || got.Provider != c.provider || got.SMTP != c.smtp || got.IMAP.Host != c.imap || got.Why == "" {
				t.Errorf("%v %+v", ok, got)
			}
		})
	}
}

func TestNothingToSuggest(t *testing.T) {
	t.Parallel()
	for address, resolver := range map[string]Resolver{
		"":                      nil,
		"info":                  nil,
		"info@":                 nil,
		"@gmail.com":            nil,
		"info@gmail":            nil,
		"info@example.com":      nil,
		"info@yahoo.example":    scripted{},
		"info@live.example.com": scripted{},
		"info@example.org":      scripted{mx: []*net.MX{{Host: "mail.example.org."}}},
		"info@example.net":      scripted{srv: map[string][]*net.SRV{"submission": {{Target: "a b.", Port: 587}}}},
	} {
		if s, ok := Suggest(t.Context(), resolver, address); ok {
			t.Errorf("%q: %+v", address, s)
		}
	}
}

// silent never answers, like a name server behind a firewall.
type silent struct{}

func (silent) LookupMX(ctx context.Context, _ string) ([]*net.MX, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (silent) LookupSRV(ctx context.Context, _, _, _ string) (string, []*net.SRV, error) {
	<-ctx.Done()
	return "", nil, ctx.Err()
}

func TestASilentNameServerDoesNotHoldTheForm(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s, ok := Suggest(ctx, silent{}, "info@example.com"); ok {
		t.Errorf("%+v", s)
	}
}
