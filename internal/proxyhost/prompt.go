package proxyhost

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/oauth"
	"orbit/internal/postgres"
	"orbit/internal/problem"
)

const (
	promptEvery = 10 * time.Minute // an account is asked for in the log, by all processes together
	promptLook  = 5 * time.Second  // after which a process looks whether it is time again
	maxPrompts  = 10_000
)

// prompts remember when this process looked at an account last.
type prompts struct {
	mu     sync.Mutex
	looked map[string]time.Time
}

func (p *prompts) due(address string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.looked[address]) < promptLook {
		return false
	}
	if p.looked == nil || len(p.looked) >= maxPrompts {
		p.looked = map[string]time.Time{}
	}
	p.looked[address] = time.Now()
	return true
}

// prompt lets the log say how to authorise an account; the client that needs it does not wait.
func (s *Service) prompt(address string) {
	if !s.prompts.due(address) {
		return
	}
	s.errand(func(ctx context.Context) {
		if err := s.writePrompt(ctx, address, s.tellProcess); err != nil && ctx.Err() == nil {
			s.log.Warn("ask for an authorisation", "account", address, "error", err)
		}
	})
}

// Prompt lets the log say how to authorise an account now, unless it did a moment ago or nobody is needed. It
// is for whoever reads that log next, so the process does not say it, too.
func (s *Service) Prompt(ctx context.Context, address string) error {
	return s.writePrompt(ctx, oauth.Normal(address), func(entry) {})
}

// writePrompt writes it at once, so that other processes know: they look before they ask the provider, and
// again when nobody else writes.
func (s *Service) writePrompt(ctx context.Context, address string, tell func(entry)) error {
	r, err := s.oauth.Lookup(ctx, address)
	if err != nil {
		return err
	}
	since, err := s.promptsCountSince(ctx, r, address)
	if err != nil {
		return err
	}
	if asked, err := prompted(ctx, s.pool, address, since); err != nil || asked {
		return err
	}
	invitation, err := s.invitation(ctx, r, address)
	if err != nil || invitation.text == "" {
		return err
	}
	written, err := s.invite(ctx, storable(address, maxAccount), invitation, since)
	if err == nil && written.text != "" {
		tell(written)
		s.journal.news()
	}
	return err
}

// promptsCountSince is when the earliest prompt that still counts can have been written: one that somebody has followed
// does not, nor one of another registration or flow.
func (s *Service) promptsCountSince(ctx context.Context, r oauth.Registration, address string) (time.Time, error) {
	since := time.Now().Add(-promptEvery)
	grant, err := s.oauth.Grant(ctx, address)
	if err != nil && !errors.Is(err, problem.ErrNotFound) {
		return since, err
	}
	if at := grant.AuthorisedAt; at != nil && at.After(since) {
		since = *at
	}
	if r.ChangedAt.After(since) {
		since = r.ChangedAt
	}
	return since, nil
}

// invite writes the invitation and returns it, unless another process was quicker.
func (s *Service) invite(ctx context.Context, address string, i invitation, since time.Time) (entry, error) {
	request := entry{at: time.Now(), level: Info, kind: kindRequest, account: address,
		text: fmt.Sprintf("Authorisation request received for %s (%s)", address, i.mode)}
	invitation := entry{at: request.at, level: Warning, kind: kindAuthorise, account: address, text: i.text}
	quicker := false
	err := postgres.InTx(ctx, s.pool, func(tx pgx.Tx) (err error) {
		if err := lockEvents(ctx, tx); err != nil {
			return err
		}
		if quicker, err = prompted(ctx, tx, address, since); err != nil || quicker {
			return err
		}
		return insertEvents(ctx, tx, s.process, []entry{request, invitation})
	})
	if quicker {
		return entry{}, err
	}
	return invitation, err
}

// invitation is how somebody can authorise an account; the zero one is for where nobody can.
type invitation struct {
	mode string // in the words that administrators of email-oauth2-proxy look for
	text string
}

// Orbit receives the answer of a consent page itself; a device code is entered elsewhere.
const (
	ownServer = "local server auth mode"
	elsewhere = "external auth mode"
)

func (s *Service) invitation(ctx context.Context, r oauth.Registration, address string) (invitation, error) {
	switch r.EffectiveFlow() {
	case oauth.AuthorizationCode:
		link, err := s.oauth.StartLink(ctx, address)
		return invitation{ownServer, fmt.Sprintf("Please visit the following URL to authenticate account %s: %s", address, link.URL)}, err
	case oauth.DeviceCode:
		device, err := s.oauth.StartDevice(ctx, address)
		return invitation{elsewhere, fmt.Sprintf("Visit %s and use code %s", device.URI, device.UserCode)}, err
	case oauth.Password, oauth.ClientCredentials, oauth.ServiceAccount:
	}
	return invitation{}, nil
}
