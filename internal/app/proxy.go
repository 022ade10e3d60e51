package app

import (
	"context"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/jackc/pgx/v5"

	"orbit/internal/account"
	"orbit/internal/credential"
	"orbit/internal/mail/submit"
	"orbit/internal/oauth"
	"orbit/internal/proxyhost"
	"orbit/internal/vault"
)

// assembleProxy builds the sign-in at providers and the mail proxy, and ties the knots between them: a token
// is proven at the proxy's upstream, the proxy's own ports may be dialled, accounts get tokens.
func (o *Orbit) assembleProxy() (err error) {
	o.OAuth, err = oauth.New(oauth.Options{
		Pool: o.Pool, Box: o.Box, BaseURL: o.Config.BaseURL.String(), Log: o.Log,
		Client: func(ctx context.Context, r oauth.Registration) (*http.Client, error) {
			return o.Connectors.HTTPClient(ctx, r.UseNetworkConnector, r.NetworkConnectorID)
		},
		Prover: oauth.ProverFunc(func(ctx context.Context, address string, token vault.Secret) (string, error) {
			return o.Proxies.Prove(ctx, address, token)
		}),
		InUse:    o.tokenServers,
		Expiring: o.warnOfExpiry,
		Observe:  func(e oauth.Event) { o.Proxies.Heard(e) },
	})
	if err != nil {
		return err
	}
	o.Proxies, err = proxyhost.New(proxyhost.Options{
		Pool: o.Pool, OAuth: o.OAuth, Credentials: o.Credentials, Connectors: o.Connectors, Log: o.Log, Version: Version,
	})
	if err != nil {
		return err
	}
	o.Connectors.OwnListener = o.Proxies.OwnListener
	return nil
}

// warnOfExpiry writes each threshold that a secret or certificate passes into the logs; the bell shows it until it is replaced.
func (o *Orbit) warnOfExpiry(_ context.Context, _ pgx.Tx, e oauth.Expiring) error {
	o.Proxies.Expires(e)
	return nil
}

// tokenServers are the mail servers that get tokens of a registration: through listeners, and from accounts that sign
// in by themselves.
func (o *Orbit) tokenServers(ctx context.Context, tx pgx.Tx, r oauth.Registration, covers func(string) bool) ([]credential.Destination, error) {
	behind, err := o.Proxies.Upstreams(ctx, tx, r)
	if err != nil {
		return nil, err
	}
	direct, err := o.Accounts.TokenServers(ctx, tx, covers)
	return append(behind, direct...), err
}

// tokens gives accounts the access tokens of addresses.
type tokens struct{ *oauth.Service }

func (t tokens) Source(address string, to credential.Destination) submit.TokenSource {
	return t.Service.Source(address, to)
}

var _ account.Tokens = tokens{}

// serveRedirects answers where registrations map their redirect endpoint elsewhere (redirect_listen_address).
func (o *Orbit) serveRedirects(handler http.Handler) func(context.Context) error {
	return func(ctx context.Context) error { return o.OAuth.ServeRedirects(ctx, handler) }
}

// reloadOnHangup looks for changed listeners and certificates when the process gets SIGHUP, as administrators
// of email-oauth2-proxy expect. Changes are followed without it too.
func (o *Orbit) reloadOnHangup(ctx context.Context) error {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangup:
			o.Log.InfoContext(ctx, "reload on SIGHUP")
			o.Proxies.Reload()
		}
	}
}
