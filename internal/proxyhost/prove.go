package proxyhost

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/provider"
	"orbit/internal/mail/proxy"
	"orbit/internal/oauth"
	"orbit/internal/vault"
)

// Prove signs in with a token at the mail servers behind the listeners that it is for, and returns what
// accepted it; it is an oauth.Prover. One server's yes is enough: SMTP may be off for a mailbox that is only
// read. Without any listener it is oauth.ErrNothingToProve.
func (s *Service) Prove(ctx context.Context, address string, token vault.Secret) (string, error) {
	r, err := s.oauth.Lookup(ctx, address)
	if err != nil {
		return "", err
	}
	all, err := s.List(ctx)
	if err != nil {
		return "", err
	}
	judges, err := s.judges(ctx, all, r, address)
	if err != nil {
		return "", err
	}
	verdicts := make(chan verdict, len(judges))
	for _, judge := range judges {
		go func() { verdicts <- s.ask(ctx, judge, r, address, token) }()
	}
	var accepted []string
	var refused *ladder.Error
	for range judges {
		v := <-verdicts
		switch {
		case v.err == nil:
			accepted = append(accepted, place(v.judge))
		case refused == nil || refused.Fault.Temporary:
			refused = v.err
		}
	}
	switch {
	case len(accepted) > 0:
		return strings.Join(accepted, " and "), nil
	case refused != nil:
		return "", refused
	}
	return "", oauth.ErrNothingToProve
}

// verdict is what one server says about a token; no error means yes.
type verdict struct {
	judge proxy.Listener
	err   *ladder.Error
}

// ask shows the token to one server and writes down what it says.
func (s *Service) ask(ctx context.Context, judge Listener, r oauth.Registration, address string, token vault.Secret) verdict {
	v := verdict{judge: judge.proxied(judge.ID)}
	account := proxy.Account{ID: r.ID, Name: address, Mailbox: address}
	err := proxy.Try(ctx, backend{s}, v.judge, account, token)
	if err != nil {
		v.err = s.explained(ctx, v.judge, r, address, err)
		s.write(notAccepted(v.judge, address, v.err.Fault))
		return v
	}
	s.write(entry{listener: judge.ID, account: address, kind: kindProved, level: Info,
		text: fmt.Sprintf("%s accepts the access token of account %s", place(v.judge), address)})
	return v
}

// notAccepted says what a server's no means and who must act.
func notAccepted(l proxy.Listener, address string, f ladder.Fault) entry {
	return entry{listener: listenerID(l.Name), account: address, kind: kindNotProved, level: Warning,
		text: fmt.Sprintf("Authorisation result error for account %s - %s does not accept the access token: %s", address, place(l), causeAndRemedy(f))}
}

// place names a server as grants remember what proved them: "IMAP at outlook.office365.com:993".
func place(l proxy.Listener) string {
	return strings.ToUpper(string(l.Protocol)) + " at " + net.JoinHostPort(l.Upstream.Host, strconv.Itoa(l.Upstream.Port))
}

// explained turns a server's no into words for people. Servers may say what they were told: not here.
func (s *Service) explained(ctx context.Context, l proxy.Listener, r oauth.Registration, address string, err error) *ladder.Error {
	known := knownOf(r, address)
	if g, err := s.oauth.Grant(ctx, address); err == nil && g.WrongMailbox() {
		known.SignedInAs = g.SignedInAs
	}
	e := proxy.Explain(l, known, err)
	harmless := *e
	harmless.Fault.Cause, harmless.Fault.Reply = proxy.Censor(e.Fault.Cause), proxy.Censor(e.Fault.Reply)
	return &harmless
}

// knownOf is what Orbit knows of an account for explaining what servers say.
func knownOf(r oauth.Registration, address string) explain.Context {
	flow := r.EffectiveFlow()
	return explain.Context{
		Username: address, Sender: address, ClientID: r.ClientID, TenantID: r.Tenant, Provider: string(issuerOf(r)),
		AppOnly: flow == oauth.ClientCredentials || flow == oauth.ServiceAccount,
	}
}

// judges are the listeners at whose servers a token of an address can be judged, one for each server.
func (s *Service) judges(ctx context.Context, all []Listener, r oauth.Registration, address string) ([]Listener, error) {
	var chosen []Listener
	seen := map[string]bool{}
	for _, l := range all {
		place := place(l.proxied(l.ID))
		if seen[place] || !serves(l, r) {
			continue
		}
		admitted, err := s.oauth.Admits(ctx, address, l.leads(l.target(), r))
		if err != nil {
			return nil, err
		}
		if admitted {
			seen[place] = true
			chosen = append(chosen, l)
		}
	}
	return chosen, nil
}

// serves reports whether tokens of a registration are for a listener's server, where they may go there.
func serves(l Listener, r oauth.Registration) bool {
	return meant(r, l.ID) && !foreign(l.Settings, r) && covers(r.Scope, l.Protocol)
}

// meant reports whether a registration applies to a listener.
func meant(r oauth.Registration, listener int64) bool {
	return r.ProxyListenerID == 0 || r.ProxyListenerID == listener
}

// foreign reports whether a server belongs to another provider than the tokens of a registration. The servers of a
// provider that Orbit knows take its own tokens only, so those of a company's own provider do not go there either.
func foreign(s Settings, r oauth.Registration) bool {
	server := provider.ByHost(s.ServerAddress)
	return server != provider.Other && server != issuerOf(r)
}

// issuerOf is the provider whose tokens a registration obtains. Where something of the company's own stands before its
// token endpoint, the registration says which it is.
func issuerOf(r oauth.Registration) provider.ID {
	if u, err := url.Parse(r.TokenURL); err == nil {
		if id := provider.ByAuthority(u.Hostname()); id != provider.Other {
			return id
		}
	}
	return provider.Find(provider.ID(r.Provider)).ID
}

// covers reports whether a scope is good for a protocol. One that names none is good for all.
func covers(scope string, p proxy.Protocol) bool {
	scope = strings.ToLower(scope)
	words := map[proxy.Protocol]string{proxy.IMAP: "imap", proxy.POP3: "pop", proxy.SMTP: "smtp"}
	named := false
	for _, word := range words {
		named = named || strings.Contains(scope, word)
	}
	return !named || strings.Contains(scope, words[p])
}

// proved and refused tell the grant what mail servers say in the sessions of clients.

func (s *Service) proved(ctx context.Context, l proxy.Listener, address string) {
	if err := s.oauth.Proved(ctx, address, place(l)); err != nil && !errors.Is(err, context.Canceled) {
		s.log.Warn("store that a mail server accepted a token", "account", address, "error", err)
	}
}

// refused leaves a grant alone that other servers accept: a protocol may be off for a mailbox.
func (s *Service) refused(ctx context.Context, l proxy.Listener, address string, why error) {
	r, err := s.lookup(ctx, address)
	if err != nil {
		return // deleted meanwhile, or the next sign-in says it again
	}
	fault := s.explained(ctx, l, r, address, why).Fault
	if s.prompts.due(place(l) + " " + address) {
		s.write(notAccepted(l, address, fault))
	}
	grant, err := s.oauth.Grant(ctx, address)
	if err == nil && (grant.State != oauth.Active || strings.Contains(grant.ProvenBy, place(l))) {
		err = s.oauth.Refused(ctx, address, fault)
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		s.log.Warn("store that a mail server refused a token", "account", address, "error", err)
	}
}
