package oauth

import (
	"context"
	"errors"
	"net/netip"
	"slices"

	"github.com/jackc/pgx/v5"

	"orbit/internal/credential"
	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/provider"
	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// An access token opens the mailbox as its password does, so it is handed out for one destination. It goes
//
//   - to a server of the provider that issued it, known by name, with a certificate that public authorities vouch for;
//   - to this machine, where its operator allows connections;
//   - to a server that a saved account or listener named when somebody authorised the address, or entered the secret
//     of a registration that needs nobody.
//
// Whoever only changes a host has done neither, and gets no token there.

// InUse lists the servers that saved accounts and listeners use with the tokens of the addresses that covers accepts.
type InUse func(ctx context.Context, tx pgx.Tx, r Registration, covers func(address string) bool) ([]credential.Destination, error)

// admit returns a *ladder.Error where the token of an address must not go.
func (s *Service) admit(ctx context.Context, address string, to credential.Destination) error {
	a := admission{address, to.String()}
	fresh, known := s.cache.admitted(a, s.now())
	if fresh {
		return nil
	}
	g, r, err := s.load(ctx, address)
	switch {
	case errors.Is(err, problem.ErrNotFound):
		return unregistered(address)
	case err != nil && known: // as with tokens: a restart of PostgreSQL is no reason to turn anybody away
		return nil
	case err != nil:
		return err
	}
	switch ok, err := s.admits(ctx, g, r, to); {
	case err != nil:
		return err
	case !ok:
		return s.withhold(ctx, g.Grant, r, a, to)
	case !known:
		s.cache.drop(address) // the token in memory may be older than what the approval stands for
	}
	s.cache.admit(a, s.now())
	return nil
}

// Admits reports whether the token of an address may be sent to a destination.
func (s *Service) Admits(ctx context.Context, address string, to credential.Destination) (bool, error) {
	g, r, err := s.load(ctx, Normal(address))
	if err != nil {
		return false, err
	}
	return s.admits(ctx, g, r, to)
}

func (s *Service) admits(ctx context.Context, g held, r Registration, to credential.Destination) (bool, error) {
	if ownServer(r, to) {
		return true, nil
	}
	return isApproved(ctx, s.pool, g, r, to.String())
}

// ownServer reports whether a token may go somewhere without anybody's approval.
func ownServer(r Registration, to credential.Destination) bool {
	if to == credential.Self || here(to) {
		return true
	}
	issuer := r.authority()
	return issuer != provider.Other && issuer == provider.ByHost(to.Host) && to.TLS != "" && to.Certificate == "verify"
}

// here reports whether a connection does not leave this machine. Behind a connector these names mean another one.
func here(to credential.Destination) bool {
	address, err := netip.ParseAddr(to.Host)
	return to.Connector == "direct" && (to.Host == "localhost" || err == nil && address.Unmap().IsLoopback())
}

// withhold says why there is no token. The audit trail hears of it once an hour: mail programs try again and again.
func (s *Service) withhold(ctx context.Context, g Grant, r Registration, a admission, to credential.Destination) error {
	fault := explain.TokenWithheld(explain.Context{Host: to.Host, Port: to.Port, Username: g.Address})
	fault.Authorise = r.EffectiveFlow().NeedsPerson()
	if s.cache.withheld(a, s.now()) {
		err := postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
			return s.recordGrant(ctx, tx, "token_withheld", g, map[string]any{"server": to.Label()})
		})
		if err != nil {
			return err
		}
	}
	return &ladder.Error{Step: ladder.Token, Fault: fault}
}

// approveForGrant lets the tokens of a new consent go to the servers in use, and to no others any more. It returns
// what the audit trail says of them.
func (s *Service) approveForGrant(ctx context.Context, tx pgx.Tx, g Grant, r Registration, by string) ([]string, error) {
	found, err := s.servers(ctx, tx, r, func(address string) bool { return Normal(address) == g.Address })
	if err != nil {
		return nil, err
	}
	return labelsOf(found), replaceApproved(ctx, tx, g.ID, found, by)
}

// approveForSecret lets tokens that are obtained with a new secret go to the servers in use. A consent approves for
// itself.
func (s *Service) approveForSecret(ctx context.Context, tx pgx.Tx, r Registration, c ClientSecret) error {
	found, err := s.servers(ctx, tx, r, r.Covers)
	if err != nil || len(found) == 0 || !r.EffectiveFlow().appOnly() {
		return err
	}
	if err := insertApproved(ctx, tx, c.ID, found, c.CreatedBy); err != nil {
		return err
	}
	return s.recordClient(ctx, tx, "servers_approved", r, map[string]any{"slot": c.Slot, "servers": labelsOf(found)})
}

// servers are those in use that need an approval.
func (s *Service) servers(ctx context.Context, tx pgx.Tx, r Registration, covers func(string) bool) ([]credential.Destination, error) {
	if s.inUse == nil {
		return nil, nil
	}
	found, err := s.inUse(ctx, tx, r, covers)
	if err != nil {
		return nil, wrapf(err, "look for the mail servers in use with %s", r.Pattern)
	}
	return slices.DeleteFunc(found, func(to credential.Destination) bool { return ownServer(r, to) }), nil
}

// nameServers tells of grants which servers were approved for their tokens.
func (s *Service) nameServers(ctx context.Context, grants []Grant) error {
	all, err := listApproved(ctx, s.pool)
	if err != nil || len(all) == 0 {
		return err
	}
	registrations, err := listClients(ctx, s.pool)
	if err != nil {
		return err
	}
	appOnly := map[int64]bool{}
	for _, r := range registrations {
		appOnly[r.ID] = r.EffectiveFlow().appOnly()
	}
	for i, g := range grants {
		for _, a := range all {
			if a.Grant == g.ID || a.Client == g.RegistrationID && appOnly[a.Client] {
				grants[i].ApprovedServers = append(grants[i].ApprovedServers, a.server())
			}
		}
	}
	return nil
}

func labelsOf(all []credential.Destination) []string {
	labels := make([]string, len(all))
	for i, to := range all {
		labels[i] = to.Label()
	}
	return labels
}

// renewAll makes a registration that needs nobody ask for new tokens, because its secret is another one: an approval
// counts for what was obtained with the secret that was entered for it.
func (s *Service) renewAll(ctx context.Context, tx pgx.Tx, r Registration) error {
	if !r.EffectiveFlow().appOnly() {
		return nil
	}
	return dropAccessOf(ctx, tx, r.ID)
}
