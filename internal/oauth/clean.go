package oauth

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"orbit/internal/mail/provider"
)

// Clean takes out of pasted settings what can only be a slip, and says so: blanks, Markdown links, a known
// misspelling, a redirect over http to another machine. What is wrong beyond that is left to Validate.
func (s Settings) Clean() (Settings, []Note) {
	c := cleaner{}
	s.Pattern = Normal(s.Pattern)
	for _, f := range []struct {
		name  string
		value *string
	}{
		{"permission_url", &s.PermissionURL}, {"device_url", &s.DeviceURL}, {"token_url", &s.TokenURL},
		{"issuer", &s.Issuer}, {"redirect_uri", &s.RedirectURI}, {"redirect_listen_address", &s.RedirectListenAddress},
		{"resource", &s.Resource},
	} {
		c.text(f.name, f.value)
		c.link(f.name, f.value)
	}
	c.text("client_id", &s.ClientID)
	c.text("tenant", &s.Tenant)
	c.scope(&s.Scope)
	c.redirect(&s.RedirectURI)
	c.appOnly(&s)
	if s.Provider == "" {
		s.Provider = string(s.authority())
	}
	return s, c.notes
}

type cleaner struct{ notes []Note }

func (c *cleaner) change(rule Rule, where string, value *string, now, why string) {
	if *value != now {
		c.notes = append(c.notes, Note{Rule: rule, Where: where, Was: *value, Now: orNothing(now), Why: why})
		*value = now
	}
}

func orNothing(s string) string {
	if s == "" {
		return "(nothing)"
	}
	return s
}

func (c *cleaner) text(where string, value *string) {
	trimmed := strings.TrimSpace(*value)
	if trimmed == "" { // a blank argument counts as not given; nothing to tell
		*value = ""
		return
	}
	c.change(StrayText, where, value, trimmed, "Blanks around the value were removed.")
}

var markdownLink = regexp.MustCompile(`^\[([^\]]*)\]\(?([^()]*)\)?$`)

// link unwraps [text](address), also when the address was lost on the way: "[](".
func (c *cleaner) link(where string, value *string) {
	m := markdownLink.FindStringSubmatch(*value)
	if m == nil {
		return
	}
	address := strings.TrimSpace(m[2])
	if address == "" && strings.Contains(m[1], "://") {
		address = strings.TrimSpace(m[1])
	}
	c.change(StrayText, where, value, address, "A Markdown link was left around the address.")
}

func (c *cleaner) scope(value *string) {
	if fields := strings.Join(strings.Fields(*value), " "); fields == "" {
		*value = ""
	} else {
		c.change(StrayText, "scope", value, fields, "Blanks around the scopes were removed.")
	}
	c.change(MisspelledScope, "scope", value, strings.ReplaceAll(*value, "SMPT.Send", "SMTP.Send"),
		"SMPT.Send is a misspelling that the provider refuses as an invalid scope.")
}

// redirect mends a redirect URI that no provider accepts.
func (c *cleaner) redirect(value *string) {
	if strings.ContainsAny(*value, "<>") {
		c.change(InsecureRedirect, "redirect_uri", value, "", "The address still has a gap to fill in; Orbit's own redirect URI is used.")
		return
	}
	rest, plain := strings.CutPrefix(*value, "http://")
	if u, err := url.Parse(*value); plain && err == nil && !isLoopback(u.Hostname()) {
		c.change(InsecureRedirect, "redirect_uri", value, "https://"+rest,
			"Providers accept http only for localhost. Serve this address with https and register exactly it at the provider.")
	}
}

// appOnly puts the scope right that client credentials need at Microsoft, where no person signs in.
func (c *cleaner) appOnly(s *Settings) {
	if s.EffectiveFlow() == ClientCredentials && s.microsoft() && !strings.HasSuffix(s.Scope, appOnlyEnd) {
		why := s.appOnlyNote().Why
		c.change(AppOnlyScope, "scope", &s.Scope, provider.CloudOf(s.TokenURL).Resource+appOnlyEnd, why)
	}
}

// isLoopback reports whether a host in a URL is this machine.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}
