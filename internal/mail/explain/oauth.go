package explain

import (
	"net/url"
	"regexp"
	"strings"

	"orbit/internal/mail/ladder"
	"orbit/internal/mail/provider"
)

// OAuth explains an error of an identity provider: the code of RFC 6749 5.2 or RFC 8628 3.5, and the description,
// which holds Microsoft's AADSTS number or Google's words.
func OAuth(errorCode, description string, c OAuthContext) ladder.Fault {
	m := parseMicrosoft(description + "\n" + errorCode)
	code := strings.ToLower(strings.TrimSpace(errorCode))
	if m.code != "" {
		code = m.code
	}
	lower := strings.ToLower(description + " " + errorCode)
	r := reply{provider: c.providerOf(m.code, lower), step: ladder.Token, code: code, text: lower}
	v := c.values()
	v["correlation_id"], v["timestamp"], v["error"] = m.correlation, m.timestamp, inline(errorCode)
	v["number"], v["digits"] = m.code, strings.TrimPrefix(m.code, "AADSTS")
	f := find(oauthEntries, r).fault(v)
	if strings.HasPrefix(code, "AADSTS") {
		f.Code = code // several numbers share an entry; the number is what people search for
	}
	f.Reply = Clean(strings.TrimSpace(errorCode + " " + description))
	return f
}

// microsoft is what Microsoft packs into error_description.
type microsoft struct {
	code        string // "AADSTS7000222"
	correlation string
	timestamp   string
}

var (
	aadstsNumber = regexp.MustCompile(`AADSTS(\d{4,8})\b`)
	correlation  = regexp.MustCompile(`(?i)Correlation ID:\s*([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})`)
	timestamp    = regexp.MustCompile(`(?i)Timestamp:\s*(\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}:\d{2}Z?)`)
)

// parseMicrosoft takes a description apart. The first number counts: it names the error, later ones are quotations.
func parseMicrosoft(description string) microsoft {
	var m microsoft
	m.code = aadstsNumber.FindString(description)
	if s := correlation.FindStringSubmatch(description); s != nil {
		m.correlation = s[1]
	}
	if s := timestamp.FindStringSubmatch(description); s != nil {
		m.timestamp = s[1]
	}
	return m
}

// AADSTS returns the number of the first Microsoft error in a description, "AADSTS7000222", or "".
func AADSTS(description string) string { return aadstsNumber.FindString(description) }

func (c OAuthContext) providerOf(aadsts, lowerText string) provider.ID {
	switch {
	case aadsts != "":
		return provider.Microsoft365
	case c.Provider != "" && c.Provider != string(provider.Other):
		return provider.ID(c.Provider)
	}
	u, err := url.Parse(c.TokenURL)
	if err == nil && u.Host != "" {
		return provider.ByAuthority(u.Hostname())
	}
	if strings.Contains(lowerText, "google") {
		return provider.Google
	}
	return provider.Other
}

func (c OAuthContext) values() values {
	cloud := provider.CloudOf(c.TokenURL)
	v := values{
		"client_id":     c.ClientID,
		"tenant":        c.tenant(),
		"scope":         c.Scope,
		"redirect_uri":  c.RedirectURI,
		"mailbox":       c.Address,
		"domain":        domain(c.Address),
		"token_url":     c.TokenURL,
		"token_host":    hostOf(c.TokenURL),
		"flow":          c.Flow,
		"thumbprint":    c.Thumbprint,
		"portal":        cloud.Portal,
		"authority":     cloud.Authority,
		"resource":      cloud.Resource,
		"default_scope": cloud.Resource + "/.default",
		"connect":       cloud.Connect(),
	}
	v["consent_url"] = c.consentURL(cloud)
	for name, value := range v {
		v[name] = inline(value)
	}
	return v
}

// tenant falls back to the tenant in the token URL: https://login.microsoftonline.com/<tenant>/oauth2/v2.0/token.
func (c OAuthContext) tenant() string {
	if c.TenantID != "" {
		return c.TenantID
	}
	u, err := url.Parse(c.TokenURL)
	if err != nil || provider.ByAuthority(u.Hostname()) != provider.Microsoft365 {
		return ""
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	return first
}

// consentURL is where an administrator consents for the whole tenant.
func (c OAuthContext) consentURL(cloud provider.Cloud) string {
	if c.ClientID == "" {
		return ""
	}
	tenant := c.tenant()
	if tenant == "" || tenant == "common" || tenant == "consumers" {
		tenant = "organizations"
	}
	q := url.Values{"client_id": {c.ClientID}}
	if c.RedirectURI != "" {
		q.Set("redirect_uri", c.RedirectURI)
	}
	return cloud.Authority + "/" + url.PathEscape(tenant) + "/adminconsent?" + q.Encode()
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}
