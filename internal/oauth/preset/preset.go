// Package preset fills in what all registrations at one provider have in common: addresses and scope. So a
// person chooses "Microsoft 365" and gives a tenant, and need not copy four addresses without a mistake.
package preset

import (
	"net/url"
	"slices"
	"strings"

	"orbit/internal/mail/provider"
	"orbit/internal/oauth"
)

// Preset is one provider, or one of its clouds.
type Preset struct {
	Key      string // as forms and the API name it: "microsoft365", "microsoft365/china", "google", "other"
	Name     string // as people know it
	Provider provider.ID
	Tenant   bool // its addresses hold a tenant
	provider.OAuth
}

const worldwide = "worldwide"

// All returns the presets in the order in which people choose, "other" last.
func All() []Preset {
	var all []Preset
	for _, p := range provider.Presets() {
		for _, o := range p.OAuth {
			one := Preset{Key: string(p.ID), Name: p.Name, Provider: p.ID, OAuth: o, Tenant: strings.Contains(o.TokenURL, tenantGap)}
			if o.Cloud != "" {
				one.Name += ", " + o.Name
			}
			if o.Cloud != "" && o.Cloud != worldwide {
				one.Key += "/" + o.Cloud
			}
			all = append(all, one)
		}
	}
	return append(all, other)
}

var other = Preset{Key: string(provider.Other), Name: "Other", Provider: provider.Other}

// tenantGap stands for the tenant in addresses.
const tenantGap = "{tenant}"

// Find returns a preset by its key.
func Find(key string) (Preset, bool) {
	all := All()
	i := slices.IndexFunc(all, func(p Preset) bool { return p.Key == key })
	if i < 0 {
		return other, false
	}
	return all[i], true
}

// Of returns the preset that settings belong to, judged by their token URL; "other" when it is no provider's.
func Of(s oauth.Settings) Preset {
	u, err := url.Parse(s.TokenURL)
	if err != nil {
		return other
	}
	id := provider.ByAuthority(u.Hostname())
	found := other
	for _, p := range All() {
		if p.Provider != id || id == provider.Other || p.Cloud != "" && !strings.HasPrefix(s.TokenURL, authority(p)) {
			continue
		}
		// Two clouds share an authority; the scope names the mail servers of one.
		if found.Provider == provider.Other || p.AppScope != "" && strings.Contains(s.Scope, strings.TrimSuffix(p.AppScope, ".default")) {
			found = p
		}
	}
	return found
}

func authority(p Preset) string {
	before, _, _ := strings.Cut(p.TokenURL, tenantGap)
	return before
}

// Fill gives settings the addresses and the scope that are not given.
func (p Preset) Fill(s oauth.Settings) oauth.Settings {
	s.Provider = string(p.Provider)
	known := p.values(s)
	fill(&s.PermissionURL, known.PermissionURL)
	fill(&s.DeviceURL, known.DeviceURL)
	fill(&s.TokenURL, known.TokenURL)
	fill(&s.Scope, known.Scope)
	return s
}

func fill(value *string, standard string) {
	if strings.TrimSpace(*value) == "" {
		*value = standard
	}
}

// Blank takes out of settings what Fill would put in, so that a form shows only what is special.
func (p Preset) Blank(s oauth.Settings) oauth.Settings {
	known := p.values(s)
	blank(&s.PermissionURL, known.PermissionURL)
	blank(&s.DeviceURL, known.DeviceURL)
	blank(&s.TokenURL, known.TokenURL)
	blank(&s.Scope, known.Scope)
	return s
}

func blank(value *string, standard string) {
	if *value == standard {
		*value = ""
	}
}

// values are what the provider has for the flow that settings name.
func (p Preset) values(s oauth.Settings) oauth.Settings {
	known := oauth.Settings{TokenURL: p.TokenURL, Scope: p.OAuth.Scope}
	switch s.Flow {
	case oauth.DeviceCode:
		known.DeviceURL = p.DeviceURL
	case oauth.ClientCredentials, oauth.ServiceAccount:
		known.Scope = p.AppScope
	case oauth.Password:
	case oauth.AuthorizationCode, "":
		known.PermissionURL = p.PermissionURL
	}
	for _, address := range []*string{&known.PermissionURL, &known.DeviceURL, &known.TokenURL} {
		*address = strings.ReplaceAll(*address, tenantGap, url.PathEscape(strings.TrimSpace(s.Tenant)))
	}
	return known
}

// Servers are the mail servers of the provider; a zero one where there is none, or where it is not known.
func (p Preset) Servers() (imap, pop3, smtp provider.Server) {
	if p.Provider == provider.Other {
		return imap, pop3, smtp
	}
	known := provider.Find(p.Provider)
	imap, pop3, smtp = known.IMAP, known.POP3, known.SMTP
	for _, cloud := range provider.Clouds() {
		if p.Provider == provider.Microsoft365 && cloud.ID == p.Cloud {
			imap.Host, pop3.Host, smtp.Host = cloud.IMAP, cloud.IMAP, cloud.SMTP
		}
	}
	return imap, pop3, smtp
}
