package proxyhost

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"

	"orbit/internal/credential"
	"orbit/internal/mail/dial"
	"orbit/internal/mail/proxy"
	"orbit/internal/oauth"
	"orbit/internal/vault"
)

// Upstreams are the mail servers to which listeners bring tokens of a registration, for its approval.
func (s *Service) Upstreams(ctx context.Context, tx pgx.Tx, r oauth.Registration) ([]credential.Destination, error) {
	all, err := selectListeners(ctx, tx)
	if err != nil {
		return nil, err
	}
	var found []credential.Destination
	for _, l := range all {
		if serves(l, r) {
			found = append(found, l.leads(l.target(), r))
		}
	}
	return found, nil
}

// leads says where a token of a registration goes, and which way.
func (s Settings) leads(target dial.Target, r oauth.Registration) credential.Destination {
	use, connector := s.UseNetworkConnector, s.NetworkConnectorID
	if !use {
		use, connector = r.UseNetworkConnector, r.NetworkConnectorID
	}
	to := credential.Destination{
		Host: target.Host, Port: target.Port, TLS: string(target.Security), Certificate: target.Trust.Word(), Connector: "direct",
	}
	if use {
		to.Connector = strconv.FormatInt(connector, 10)
	}
	return to
}

// token is the token of an address for the server behind a listener, as the session knows that server.
func (s *Service) token(ctx context.Context, l proxy.Listener, address string) (vault.Secret, error) {
	settings, err := s.listener(ctx, listenerID(l.Name))
	if err != nil {
		return vault.Secret{}, err
	}
	r, err := s.lookup(ctx, address)
	if err != nil {
		return vault.Secret{}, err
	}
	return s.oauth.Token(ctx, address, settings.leads(l.Upstream, r))
}
