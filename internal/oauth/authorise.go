package oauth

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/mail/provider"
	"orbit/internal/oauth/endpoint"
	"orbit/internal/postgres"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

const (
	tripTime = 10 * time.Minute // RFC 9700 wants short; people look for their second factor
	linkTime = 24 * time.Hour
)

// Bound says who may come back with a state: the browser session that began, given by the hash of its id, or
// whoever was sent by a start address.
type Bound struct {
	Session []byte
	start   int64
}

// Visit begins a trip to the provider for the session that asks, and returns the address of the consent page.
func (s *Service) Visit(ctx context.Context, address string, session []byte) (string, error) {
	if len(session) == 0 {
		return "", problem.Refuse("Sign in again: an authorisation belongs to a session.")
	}
	g, r, err := s.interactive(ctx, address, AuthorizationCode)
	if err != nil {
		return "", err
	}
	return s.travel(ctx, g, r, Bound{Session: session}, audit.ActorFrom(ctx).Name)
}

// Link is an address of Orbit's own that anybody who is given it may visit to authorise one mailbox.
type Link struct {
	URL       string
	ExpiresAt time.Time
	id        string
}

// StartLink returns the start address for a mailbox, the same one while it is valid: a day, or until somebody
// has used it with success. It is what the log prints.
func (s *Service) StartLink(ctx context.Context, address string) (Link, error) {
	address = Normal(address)
	s.linksMu.Lock()
	known := s.links[address]
	s.linksMu.Unlock()
	if s.now().Add(time.Hour).Before(known.ExpiresAt) { // an hour is left to use it in
		if _, err := findStart(ctx, s.pool, hashOf(known.id), s.now()); err == nil {
			return known, nil
		}
	}
	g, _, err := s.interactive(ctx, address, AuthorizationCode)
	if err != nil {
		return Link{}, err
	}
	id := rand.Text() + rand.Text() // 256 bits
	link := Link{URL: s.baseURL + StartPath + id, ExpiresAt: s.now().Add(linkTime), id: id}
	if _, err := s.newStart(ctx, g.Grant, id, link.ExpiresAt); err != nil {
		return Link{}, err
	}
	s.linksMu.Lock()
	s.links[address] = link
	s.linksMu.Unlock()
	return link, nil
}

func (s *Service) newStart(ctx context.Context, g Grant, id string, expires time.Time) (start int64, err error) {
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		if start, err = insertStart(ctx, tx, hashOf(id), g.ID, audit.ActorFrom(ctx).Name, expires); err != nil {
			return err
		}
		return s.recordGrant(ctx, tx, "link_created", g, map[string]any{"expires_at": expires.UTC().Format(time.RFC3339)})
	})
	return start, err
}

// VisitStart begins a trip for a start address, with a fresh state at each visit, and returns the address of
// the consent page. Browser may be the hash of a cookie that the answer has to bring back; nil binds to the
// start address alone. An unknown or expired address is problem.ErrNotFound.
func (s *Service) VisitStart(ctx context.Context, id string, browser []byte) (string, error) {
	begun, err := findStart(ctx, s.pool, hashOf(id), s.now())
	if err != nil {
		return "", err
	}
	found, err := findGrantByID(ctx, s.pool, begun.GrantID)
	if err != nil {
		return "", err
	}
	g, r, err := s.interactive(ctx, found.Address, AuthorizationCode)
	if err != nil {
		return "", err
	}
	return s.travel(ctx, g, r, Bound{Session: browser, start: begun.ID}, begun.CreatedBy)
}

// Direct returns the provider's own address for a mailbox, for whoever wants no start address in between.
// It is valid ten minutes.
func (s *Service) Direct(ctx context.Context, address string) (string, error) {
	g, r, err := s.interactive(ctx, address, AuthorizationCode)
	if err != nil {
		return "", err
	}
	begun, err := s.newStart(ctx, g.Grant, rand.Text()+rand.Text(), s.now().Add(tripTime))
	if err != nil {
		return "", err
	}
	return s.travel(ctx, g, r, Bound{start: begun}, audit.ActorFrom(ctx).Name)
}

// Invitation asks somebody to authorise a mailbox.
type Invitation struct {
	Text      string // as email-oauth2-proxy's log says it
	URL       string
	UserCode  string // device flow only
	ExpiresAt time.Time
}

// Invite returns what the log prints when a mailbox needs a person: the start address, or the code of a
// device flow. However often it is asked, one authorisation is pending.
func (s *Service) Invite(ctx context.Context, address string) (Invitation, error) {
	address = Normal(address)
	r, err := lookupClient(ctx, s.pool, address)
	if err != nil {
		return Invitation{}, s.noRegistration(err, address)
	}
	if r.EffectiveFlow() == DeviceCode {
		d, err := s.StartDevice(ctx, address)
		return Invitation{
			Text: fmt.Sprintf("Visit %s and use code %s", d.URI, d.UserCode), URL: d.URI, UserCode: d.UserCode, ExpiresAt: d.ExpiresAt,
		}, err
	}
	link, err := s.StartLink(ctx, address)
	return Invitation{
		Text: fmt.Sprintf("Please visit the following URL to authenticate account %s: %s", address, link.URL), URL: link.URL, ExpiresAt: link.ExpiresAt,
	}, err
}

// interactive returns the grant and the registration with which a person authorises an address by this flow.
func (s *Service) interactive(ctx context.Context, address string, flow Flow) (held, Registration, error) {
	address = Normal(address)
	r, err := lookupClient(ctx, s.pool, address)
	if err != nil {
		return held{}, r, s.noRegistration(err, address)
	}
	if r.EffectiveFlow() != flow {
		return held{}, r, problem.Refuse("The registration for %s uses the flow %s, not %s.", address, r.EffectiveFlow(), flow)
	}
	g, err := ensureGrant(ctx, s.pool, address, r.ID)
	return g, r, err
}

// travel makes a fresh state and returns the consent page's address. Only a hash of the state is kept.
func (s *Service) travel(ctx context.Context, g held, r Registration, bound Bound, by string) (string, error) {
	state, verifier := rand.Text()+rand.Text(), endpoint.NewVerifier()
	t := trip{GrantID: g.ID, RegistrationID: r.ID, RedirectURI: s.redirectURI(r.Settings), StartedBy: by}
	err := postgres.InTx(ctx, s.pool, func(tx pgx.Tx) (err error) {
		if t.ID, err = nextID(ctx, tx, "oauth_authorization"); err != nil {
			return err
		}
		if t.SealedVerifier, err = s.box.Seal(verifier, verifierPlace(t.ID, r.Settings)); err != nil {
			return err
		}
		return insertTrip(ctx, tx, t, hashOf(state), bound, s.now().Add(tripTime))
	})
	if err != nil {
		return "", wrapf(err, "begin the authorisation of %s", g.Address)
	}
	return consentPage(r.Settings, g.Address, t.RedirectURI, state, verifier)
}

func consentPage(r Settings, address, redirectURI, state string, verifier vault.Secret) (string, error) {
	v := endpoint.Visit{
		PermissionURL: r.PermissionURL, ClientID: r.ClientID, RedirectURI: redirectURI, State: state,
		Verifier: verifier, Scope: withIdentity(r), LoginHint: address, Extra: url.Values{},
	}
	if r.authority() == provider.Google { // without both, Google gives no refresh token the second time
		v.Extra.Set("access_type", "offline")
		v.Extra.Set("prompt", "consent")
	}
	return v.URL()
}

// withIdentity adds the scopes with which Microsoft and Google name the mailbox that signed in, so that a
// wrong one is noticed. Other providers might refuse scopes that the registration does not name.
func withIdentity(r Settings) string {
	switch r.authority() {
	case provider.Microsoft365:
		return addScopes(r.Scope, "openid", "profile")
	case provider.Google:
		return addScopes(r.Scope, "openid", "email")
	default:
		return r.Scope
	}
}
