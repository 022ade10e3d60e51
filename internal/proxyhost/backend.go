package proxyhost

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/proxy"
	"orbit/internal/oauth"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// backend answers what the proxy can't know.
type backend struct{ *Service }

// lookup returns the registration of an address, or problem.ErrNotFound.
func (s *Service) lookup(ctx context.Context, address string) (oauth.Registration, error) {
	return s.registrations.get(ctx, address, func(ctx context.Context) (oauth.Registration, error) {
		return s.oauth.Lookup(ctx, address)
	})
}

// listener returns the settings of a listener, or problem.ErrNotFound.
func (s *Service) listener(ctx context.Context, id int64) (Settings, error) {
	return s.listeners.get(ctx, id, func(ctx context.Context) (Settings, error) {
		l, err := selectListener(ctx, s.pool, id)
		return l.Settings, err
	})
}

// Login accepts a registered credential with an OAuth registration. A catch-all registration opens nothing by
// itself: somebody has to have registered the credential, so no first user takes an account.
func (b backend) Login(ctx context.Context, username string, password vault.Secret, client proxy.Client) (proxy.Account, error) {
	address := oauth.Normal(username)
	right, err := b.credentials.Verify(ctx, address, password)
	if err != nil {
		return proxy.Account{}, err
	}
	r, err := b.lookup(ctx, address)
	switch {
	case errors.Is(err, problem.ErrNotFound):
		return proxy.Account{}, unknown("No OAuth registration covers %s", storable(address, maxAccount))
	case err != nil:
		return proxy.Account{}, err
	case !right:
		return proxy.Account{}, &proxy.Refusal{Reason: proxy.WrongCredentials, Err: errNoCredential}
	}
	if err := b.admits(ctx, listenerID(client.Listener), r); err != nil {
		return proxy.Account{}, err
	}
	return proxy.Account{ID: r.ID, Name: address, Mailbox: address}, nil
}

// admits says whether a registration may be used at a listener.
func (b backend) admits(ctx context.Context, id int64, r oauth.Registration) error {
	if !meant(r, id) {
		return unknown("The OAuth registration %s is for another listener", r.Pattern)
	}
	l, err := b.listener(ctx, id)
	if err != nil {
		return err
	}
	if foreign(l, r) {
		return unknown("The OAuth registration %s obtains tokens of another provider than that of %s", r.Pattern, l.Server())
	}
	return nil
}

// unknown is for the log; clients hear nothing of it.
func unknown(format string, args ...any) error {
	return &proxy.Refusal{Reason: proxy.UnknownAccount, Text: fmt.Sprintf(format, args...)}
}

var errNoCredential = errors.New("no credential in Settings > Credentials has this username and secret")

// Token hands out the token that is valid now. After a refusal the one in use is given up first, unless it was
// issued a moment ago: the proxy then gets the same again and knows that another would be no better.
func (b backend) Token(ctx context.Context, l proxy.Listener, account proxy.Account, refresh bool) (vault.Secret, error) {
	token, err := b.token(ctx, l, account.Mailbox)
	if err == nil && refresh {
		if _, err = b.oauth.Invalidate(ctx, account.Mailbox, token); err == nil {
			token, err = b.token(ctx, l, account.Mailbox)
		}
	}
	if err != nil {
		return vault.Secret{}, b.noToken(account.Mailbox, err)
	}
	return token, nil
}

// noToken says why there is no token, and asks for the authorisation where that is missing.
func (b backend) noToken(address string, err error) error {
	var explained *ladder.Error
	if !errors.As(err, &explained) {
		return &proxy.Refusal{Reason: proxy.Unavailable, Err: err}
	}
	r := &proxy.Refusal{Reason: proxy.ProviderRefused, Text: oneSentence(explained.Fault.Cause), Err: remedy(explained.Fault)}
	switch {
	case errors.Is(err, problem.ErrNotFound):
		r.Reason = proxy.UnknownAccount
	case explained.Fault.Authorise:
		r.Reason = proxy.Unauthorised
		b.prompt(address)
	case explained.Fault.Temporary:
		r.Reason = proxy.Unavailable
	}
	return r
}

// remedy is what the log says of a fault after its cause.
func remedy(f ladder.Fault) error {
	return errors.New(oneSentence(fmt.Sprintf("%s [%s; %s must act] %s", f.Reply, f.Code, f.Who, f.Remedy)))
}

// oneSentence fits a text into a line of a protocol or of the log.
func oneSentence(text string) string {
	return strings.TrimRight(strings.Join(strings.Fields(text), " "), ".")
}

// Dial leaves as the listener says, else as the registration of the account.
func (b backend) Dial(ctx context.Context, l proxy.Listener, account proxy.Account) (net.Conn, error) {
	d, err := b.dialer(ctx, listenerID(l.Name), account)
	if err != nil {
		return nil, &proxy.Refusal{Reason: proxy.Unavailable, Err: err}
	}
	conn, err := d.Dial(ctx, l.Upstream.Host, l.Upstream.Port)
	var explained *ladder.Error
	if errors.As(err, &explained) {
		return nil, &proxy.Refusal{Reason: proxy.Unreachable, Text: oneSentence(explained.Fault.Cause), Err: err}
	}
	return conn, err
}

func (b backend) dialer(ctx context.Context, id int64, account proxy.Account) (dial.Dialer, error) {
	l, err := b.listener(ctx, id)
	if err != nil {
		return nil, err
	}
	if l.UseNetworkConnector {
		return b.connectors.Dialer(ctx, true, l.NetworkConnectorID)
	}
	use, connector, err := b.exit(ctx, id, account)
	if err != nil {
		return nil, err
	}
	return b.connectors.Dialer(ctx, use, connector)
}

// exit is how the registration leaves. Nobody's question leaves as all registrations agree to; without
// agreement directly.
func (b backend) exit(ctx context.Context, id int64, account proxy.Account) (use bool, connector int64, err error) {
	if account.Mailbox != "" {
		r, err := b.lookup(ctx, account.Mailbox)
		return r.UseNetworkConnector, r.NetworkConnectorID, err
	}
	all, err := b.oauth.List(ctx)
	if err != nil {
		return false, 0, err
	}
	first := true
	for _, r := range all {
		if !meant(r, id) {
			continue
		}
		if !first && (r.UseNetworkConnector != use || r.NetworkConnectorID != connector) {
			return false, 0, nil
		}
		use, connector, first = r.UseNetworkConnector, r.NetworkConnectorID, false
	}
	return use, connector, nil
}
