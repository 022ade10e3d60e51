// Package app puts the program together: configuration in, a running Orbit out.
//
// Open builds the services on a database; Serve runs them until the context ends. Commands open the same
// services without serving, so that "orbit smtp test" does what the page does.
package app

import (
	"context"
	"log/slog"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"riverqueue.com/riverui"

	"orbit/internal/account"
	"orbit/internal/approval"
	"orbit/internal/config"
	"orbit/internal/connector"
	"orbit/internal/credential"
	"orbit/internal/identity"
	"orbit/internal/inbox"
	"orbit/internal/notify"
	"orbit/internal/oauth"
	"orbit/internal/postgres"
	"orbit/internal/proxyhost"
	"orbit/internal/setting"
	"orbit/internal/vault"
)

// Version is that of the program; the command sets it before anything else.
var Version = "dev"

// Orbit is every service, ready to be asked.
type Orbit struct {
	Config config.Config
	Log    *slog.Logger
	Pool   *pgxpool.Pool

	Box         *vault.Box
	Identity    *identity.Service
	Settings    *setting.Service
	Credentials *credential.Service
	Connectors  *connector.Service
	Agents      *connector.Agents
	OAuth       *oauth.Service
	Proxies     *proxyhost.Service
	Accounts    *account.Service
	Notify      *notify.Service
	Approvals   *approval.Service
	Inbox       *inbox.Service

	jobsPage *riverui.Handler

	NewKeyFile bool // the key file was created just now: say where it is
	db         *postgres.DB
}

// Attach opens Orbit for a command: through the socket of a cluster that runs already, or with one of its own.
func Attach(ctx context.Context, c config.Config, log *slog.Logger) (*Orbit, error) {
	db, err := postgres.Attach(ctx, postgres.Options{URL: c.DatabaseURL.Reveal(), DataDir: c.DataDir, Log: log})
	if err != nil {
		return nil, err
	}
	return onDatabase(ctx, c, db, log)
}

// Start opens Orbit to serve. Only one process may do so with one data directory.
func Start(ctx context.Context, c config.Config, log *slog.Logger) (*Orbit, error) {
	if _, err := certificate(c); err != nil { // said now, not after "Orbit is running"
		return nil, err
	}
	db, err := postgres.Start(ctx, postgres.Options{URL: c.DatabaseURL.Reveal(), DataDir: c.DataDir, Log: log})
	if err != nil {
		return nil, err
	}
	return onDatabase(ctx, c, db, log)
}

func onDatabase(ctx context.Context, c config.Config, db *postgres.DB, log *slog.Logger) (*Orbit, error) {
	if err := postgres.Migrate(ctx, db.Pool); err != nil {
		db.Close()
		return nil, err
	}
	o, err := Assemble(ctx, c, db.Pool, log)
	if err != nil {
		db.Close()
		return nil, err
	}
	o.db = db
	return o, nil
}

// Assemble builds the services on a migrated database. Tests call it with one of their own.
func Assemble(ctx context.Context, c config.Config, pool *pgxpool.Pool, log *slog.Logger) (*Orbit, error) {
	box, created, err := credential.OpenBox(ctx, pool, c.KeysetFile)
	if err != nil {
		return nil, err
	}
	o := &Orbit{Config: c, Log: log, Pool: pool, Box: box, NewKeyFile: created}
	o.Identity = identity.New(pool, identity.Options{Secure: c.BaseURL.Scheme == "https", Log: log, SendInvitation: o.sendInvitation})
	o.Settings = setting.New(pool)
	o.Credentials = credential.New(pool, box)
	rules, err := connector.ParseRules(strings.Join(c.AllowedDestinations, ","), strings.Join(c.DeniedDestinations, ","))
	if err != nil {
		return nil, err
	}
	o.Connectors = connector.NewService(pool, rules)
	o.Connectors.DefaultConnector = o.defaultConnector
	o.Connectors.Credentials = o.Credentials
	if err := o.assembleAgents(); err != nil {
		return nil, err
	}
	if err := o.assembleProxy(); err != nil {
		return nil, err
	}
	o.Accounts = account.New(account.Options{
		Pool: pool, Credentials: o.Credentials, Settings: o.Settings, Dialers: o.Connectors, Log: log,
		Tokens: tokens{o.OAuth}, Own: o.Proxies.Own,
	})
	o.Credentials.UsedBy = o.credentialUses
	if err := o.assembleNotify(); err != nil {
		return nil, err
	}
	if err := o.assembleJobsPage(); err != nil {
		return nil, err
	}
	o.assembleApprovals()
	return o, o.assembleInbox()
}

// credentialUses asks everybody who keeps credentials.
func (o *Orbit) credentialUses(ctx context.Context, ids []int64) (map[int64][]credential.Use, error) {
	uses, err := o.Accounts.CredentialUses(ctx, ids)
	if err != nil {
		return nil, err
	}
	more, err := o.Connectors.CredentialUses(ctx, ids)
	for id, found := range more {
		uses[id] = append(uses[id], found...)
	}
	return uses, err
}

// defaultConnector is the one of System Parameters > Application.
func (o *Orbit) defaultConnector(ctx context.Context) (int64, error) {
	parameters, err := o.Settings.Application(ctx)
	return parameters.DefaultConnectorID, err
}

// Close ends what opening began: the pool, and the private cluster if it is ours.
func (o *Orbit) Close() {
	o.Agents.Close()
	o.Connectors.Close()
	if o.db != nil {
		o.db.Close()
	}
}

// Reseal seals every stored secret with the present key and returns how many there were.
func (o *Orbit) Reseal(ctx context.Context) (total int, err error) {
	for _, reseal := range []func(context.Context) (int, error){o.Credentials.Reseal, o.OAuth.Reseal, o.Agents.Reseal, o.Notify.Reseal} {
		n, err := reseal(ctx)
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}
