package plan

import (
	"fmt"
	"net/url"
	"strings"

	"orbit/internal/mail/provider"
	"orbit/internal/oauth"
)

// providerOf names the provider of a token endpoint and, for Microsoft, the tenant in its path.
func providerOf(s oauth.Settings) (name, tenant string) {
	u, err := url.Parse(s.TokenURL)
	if err != nil {
		return string(provider.Other), s.Tenant
	}
	id := provider.ByAuthority(u.Hostname())
	if id == provider.Microsoft365 && s.Tenant == "" {
		tenant, _, _ = strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
		return string(id), tenant
	}
	return string(id), s.Tenant
}

// servers returns the mail servers of the provider with this token endpoint.
func servers(id provider.ID, tokenURL string) map[Protocol]provider.Server {
	preset := provider.Find(id)
	if id == provider.Microsoft365 {
		cloud := provider.CloudOf(tokenURL)
		preset.SMTP.Host, preset.IMAP.Host, preset.POP3.Host = cloud.SMTP, cloud.IMAP, cloud.IMAP
	}
	return map[Protocol]provider.Server{SMTP: preset.SMTP, IMAP: preset.IMAP, POP3: preset.POP3}
}

// completeServers fills in what is missing of the servers, where the registrations name one provider that
// has them, and finds local ports that are taken twice.
func (p *Plan) completeServers() {
	id, tokenURL := p.onlyProvider()
	known := servers(id, tokenURL)
	for i := range p.Listeners {
		p.completeServer(&p.Listeners[i], known[p.Listeners[i].Protocol], id)
	}
	p.localPortsTwice()
}

func (p *Plan) completeServer(l *Listener, server provider.Server, id provider.ID) {
	name := "[" + l.Name() + "] "
	if l.ServerAddress == "" && server.Host != "" {
		l.ServerAddress = server.Host
		p.Notes = append(p.Notes, oauth.Note{Where: name + "server_address", Was: "(not given)", Now: server.Host,
			Why: "The address is missing; this is the server of " + provider.Find(id).Name + "."})
	}
	if l.ServerAddress == "" {
		p.Problems.Add(name+"server_address", "Give the address of the %s server.", strings.ToUpper(string(l.Protocol)))
	}
	if l.ServerPort == 0 {
		l.ServerPort = standardPorts[l.Protocol]
	}
	if l.Protocol == SMTP && l.ServerPort == 587 && !l.STARTTLS {
		l.STARTTLS = true
		p.Notes = append(p.Notes, oauth.Note{Where: name + "server_starttls", Was: "False", Now: "True", Why: "Port 587 begins without encryption and wants STARTTLS."})
	}
}

var standardPorts = map[Protocol]int{IMAP: 993, POP3: 995, SMTP: 587}

// Name is the section of a listener in email-oauth2-proxy.
func (l Listener) Name() string {
	kind := map[Protocol]string{IMAP: "IMAP", POP3: "POP", SMTP: "SMTP"}[l.Protocol]
	return fmt.Sprintf("%s-%d", kind, l.LocalPort)
}

// onlyProvider is the provider that all registrations share.
func (p *Plan) onlyProvider() (provider.ID, string) {
	if len(p.Registrations) == 0 {
		return provider.Other, ""
	}
	first := p.Registrations[0]
	for _, r := range p.Registrations {
		if r.Provider != first.Provider {
			return provider.Other, ""
		}
	}
	return provider.ID(first.Provider), first.TokenURL
}

func (p *Plan) localPortsTwice() {
	taken := map[int]string{}
	for _, l := range p.Listeners {
		if other, twice := taken[l.LocalPort]; twice && l.LocalPort != 0 {
			p.Problems.Add("["+l.Name()+"]", "The local port %d is also that of [%s]. Two listeners cannot share one.", l.LocalPort, other)
		}
		taken[l.LocalPort] = l.Name()
	}
}
