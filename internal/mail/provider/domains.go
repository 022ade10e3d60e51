package provider

import "strings"

// mailboxDomains are the domains in which providers give addresses to people.
var mailboxDomains = map[string]ID{
	"gmail.com": Google, "googlemail.com": Google,
	"outlook.com": Microsoft365, "hotmail.com": Microsoft365, "live.com": Microsoft365, "msn.com": Microsoft365, "passport.com": Microsoft365,
	"yahoo.com": Yahoo, "ymail.com": Yahoo, "rocketmail.com": Yahoo, "myyahoo.com": Yahoo,
	"aol.com": Yahoo, "aim.com": Yahoo,
	"zoho.com": Zoho, "zohomail.com": Zoho, "zoho.eu": Zoho, "zohomail.eu": Zoho, "zoho.in": Zoho, "zohomail.in": Zoho,
	"fastmail.com": Fastmail, "fastmail.fm": Fastmail, "messagingengine.com": Fastmail, "sent.com": Fastmail, "fastmail.net": Fastmail, "fastmail.org": Fastmail,
}

// countryDomains are families such as yahoo.co.uk, hotmail.fr and outlook.com.br.
var countryDomains = []struct {
	prefix string
	id     ID
}{
	{"yahoo.", Yahoo}, {"hotmail.", Microsoft365}, {"outlook.", Microsoft365}, {"live.", Microsoft365},
}

// tenantDomains are the first domains of Microsoft 365 tenants.
var tenantDomains = []struct{ suffix, cloud string }{
	{".onmicrosoft.com", "worldwide"}, {".partner.onmschina.cn", "china"}, {".onmicrosoft.us", "us_government"},
}

// consumerServers replace the preset's where people without a subscription have servers of their own.
var consumerServers = map[ID]map[string]Suggestion{
	Yahoo: {
		"aol.com": {SMTP: Server{"smtp.aol.com", 465, implicit}, IMAP: Server{"imap.aol.com", 993, implicit}},
		"aim.com": {SMTP: Server{"smtp.aol.com", 465, implicit}, IMAP: Server{"imap.aol.com", 993, implicit}},
	},
}

// knownDomain answers without the DNS.
func knownDomain(domain string) (Suggestion, bool) {
	for _, t := range tenantDomains {
		if strings.HasSuffix(domain, t.suffix) {
			return fromPreset(Find(Microsoft365), domain+" is a domain of Microsoft 365.").inCloud(t.cloud), true
		}
	}
	id, ok := mailboxDomains[domain]
	if !ok {
		id, ok = countryDomain(domain)
	}
	if !ok {
		return Suggestion{}, false
	}
	p := Find(id)
	s := fromPreset(p, domain+" is a domain of "+p.Name+".")
	if id == Microsoft365 {
		s.SMTP.Host, s.Why = "smtp-mail.outlook.com", domain+" is a domain of Outlook.com; it takes OAuth 2.0 only."
	}
	if id == Zoho {
		_, region, _ := strings.Cut(domain, ".")
		s.SMTP.Host, s.IMAP.Host = "smtp.zoho."+region, "imap.zoho."+region
	}
	if own, found := consumerServers[id][domain]; found {
		s.SMTP, s.IMAP = own.SMTP, own.IMAP
	}
	return s, true
}

// countryDomain accepts a country ("fr") or a commercial second level ("co.uk", "com.br") after the name.
func countryDomain(domain string) (ID, bool) {
	for _, c := range countryDomains {
		rest, ok := strings.CutPrefix(domain, c.prefix)
		if !ok {
			continue
		}
		second, country, two := strings.Cut(rest, ".")
		if !two && len(second) == 2 || two && (second == "co" || second == "com") && len(country) == 2 {
			return c.id, true
		}
	}
	return "", false
}
