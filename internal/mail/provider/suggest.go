package provider

import (
	"context"
	"net"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/idna"
	"golang.org/x/sync/errgroup"
)

// suggestTimeout keeps the form alive: somebody is typing.
const suggestTimeout = 2 * time.Second

// Resolver is the part of net.Resolver that a suggestion needs.
type Resolver interface {
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
}

// Suggestion is the provider that an address probably belongs to.
type Suggestion struct {
	Provider ID     `json:"provider"`
	SMTP     Server `json:"smtp"`
	IMAP     Server `json:"imap"`
	Why      string `json:"why"` // one sentence for the form
}

// Suggest guesses the provider of a sender address: known domains, then the MX records, then the SRV records of
// RFC 6186 and RFC 8314. It reports false when nothing is known; the resolver may be nil.
func Suggest(ctx context.Context, resolver Resolver, address string) (Suggestion, bool) {
	domain := domainOf(address)
	if domain == "" {
		return Suggestion{}, false
	}
	if s, ok := knownDomain(domain); ok {
		return s, true
	}
	if resolver == nil {
		return Suggestion{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, suggestTimeout)
	defer cancel()
	return askDNS(ctx, resolver, domain)
}

// domainOf returns the part after the @ in ACE form, or "" while it is not one yet.
func domainOf(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 1 {
		return ""
	}
	domain, err := idna.Lookup.ToASCII(strings.TrimSuffix(strings.TrimSpace(address[at+1:]), "."))
	if err != nil || !strings.Contains(domain, ".") {
		return ""
	}
	return domain
}

// askDNS asks for everything at once, so that one silent name server does not add up.
func askDNS(ctx context.Context, resolver Resolver, domain string) (Suggestion, bool) {
	var (
		mx                []*net.MX
		submissions, imap []*net.SRV
		submission        []*net.SRV
		g                 errgroup.Group
	)
	g.Go(func() error { mx, _ = resolver.LookupMX(ctx, domain); return nil }) // no answer is no suggestion
	srv := func(into *[]*net.SRV, service string) {
		g.Go(func() error { _, *into, _ = resolver.LookupSRV(ctx, service, "tcp", domain); return nil })
	}
	srv(&submissions, "submissions")
	srv(&submission, "submission")
	srv(&imap, "imaps")
	_ = g.Wait()

	if s, ok := byMX(mx, domain); ok {
		return s, true
	}
	return bySRV(domain, submissions, submission, imap)
}

// byMX looks for the provider that receives the domain's mail: whoever receives mostly sends too.
func byMX(records []*net.MX, domain string) (Suggestion, bool) {
	slices.SortStableFunc(records, func(a, b *net.MX) int { return int(a.Pref) - int(b.Pref) })
	for _, mx := range records {
		host := strings.TrimSuffix(strings.ToLower(mx.Host), ".")
		if id := ByHost(host); id != Other {
			s := fromPreset(Find(id), "Mail for "+domain+" is received by "+host+".")
			return s.inRegion(host), true
		}
	}
	return Suggestion{}, false
}

// inRegion corrects the servers where the MX tells the provider's cloud or region.
func (s Suggestion) inRegion(mx string) Suggestion {
	switch {
	case strings.HasSuffix(mx, ".partner.outlook.cn"):
		return s.inCloud("china")
	case strings.HasSuffix(mx, ".office365.us"):
		return s.inCloud("us_government")
	case s.Provider == Zoho:
		_, region, _ := strings.Cut(mx, ".zoho.")
		if region != "" {
			s.SMTP.Host, s.IMAP.Host = "smtppro.zoho."+region, "imappro.zoho."+region
		}
	case s.Provider == SES:
		// inbound-smtp.eu-west-1.amazonaws.com
		s.SMTP.Host = strings.Replace(mx, "inbound-smtp.", "email-smtp.", 1)
	}
	return s
}

func (s Suggestion) inCloud(id string) Suggestion {
	for _, c := range clouds {
		if c.ID == id {
			s.SMTP.Host, s.IMAP.Host = c.SMTP, c.IMAP
		}
	}
	return s
}

// bySRV follows RFC 6186 3.1: the domain itself names its servers; a target of "." means "not offered". TLS
// from the start goes first (RFC 8314 3.3).
func bySRV(domain string, submissions, submission, imap []*net.SRV) (Suggestion, bool) {
	s := Suggestion{Provider: Other, Why: "The DNS of " + domain + " names this server for sending."}
	if server, ok := target(submissions, implicit); ok {
		s.SMTP = server
	} else if server, ok := target(submission, starttls); ok {
		s.SMTP = server
	} else {
		return Suggestion{}, false
	}
	s.IMAP, _ = target(imap, implicit)
	if id := ByHost(s.SMTP.Host); id != Other {
		s.Provider = id
	}
	return s, true
}

func target(records []*net.SRV, security string) (Server, bool) {
	for _, r := range records { // net.Resolver returns them by priority
		host, err := idna.Lookup.ToASCII(strings.TrimSuffix(r.Target, "."))
		if err == nil && host != "" && r.Port > 0 {
			return Server{Host: host, Port: int(r.Port), Security: security}, true
		}
	}
	return Server{}, false
}

func fromPreset(p Preset, why string) Suggestion {
	return Suggestion{Provider: p.ID, SMTP: p.SMTP, IMAP: p.IMAP, Why: why}
}
