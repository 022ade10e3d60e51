package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/oauth/endpoint"
	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// Callback is what a browser brought to the redirect endpoint.
type Callback struct {
	State            string
	Code             string
	Error            string // RFC 6749 4.1.2.1
	ErrorDescription string
	Issuer           string // iss, RFC 9207
	Session          []byte // the hash of the browser's session id or cookie; nil without one
}

// ReadCallback takes a callback from the query.
func ReadCallback(query url.Values, session []byte) Callback {
	return Callback{
		State: query.Get("state"), Code: query.Get("code"), Error: query.Get("error"),
		ErrorDescription: query.Get("error_description"), Issuer: query.Get("iss"), Session: session,
	}
}

// Outcome is what became of an authorisation, for the page that the person sees.
type Outcome struct {
	Address      string        `json:"address"`
	Authorised   bool          `json:"authorised"` // tokens were obtained and stored
	State        State         `json:"state"`
	ProvenBy     string        `json:"proven_by,omitempty"` // what accepted the token
	SignedInAs   string        `json:"signed_in_as,omitempty"`
	WrongMailbox bool          `json:"wrong_mailbox,omitempty"`
	Fault        *ladder.Fault `json:"fault,omitempty"` // why not authorised, or why not accepted by the mail server
	At           time.Time     `json:"at"`
	Running      bool          `json:"running,omitempty"` // another request is at it; look again in a moment
}

// Text says the outcome in a sentence or two.
func (o Outcome) Text() string {
	var text string
	switch {
	case o.Running:
		return "The answer of the provider is being processed. Reload this page in a moment."
	case !o.Authorised:
		return "Email OAuth 2.0 authentication failed."
	case o.State == Active:
		text = fmt.Sprintf("Email OAuth 2.0 authentication succeeded. The mail server has accepted the token of %s (%s).", o.Address, o.ProvenBy)
	case o.Fault != nil:
		text = fmt.Sprintf("The provider has given a token for %s, but the mail server does not accept it.", o.Address)
	default:
		text = fmt.Sprintf("Email OAuth 2.0 authentication succeeded. The token of %s is stored; it becomes active with the first sign-in that a mail server accepts.", o.Address)
	}
	if o.WrongMailbox {
		text += fmt.Sprintf(" You signed in as %s, not as %s: that works only if %s may open and send as %s. Otherwise authorise again with the right mailbox.", o.SignedInAs, o.Address, o.SignedInAs, o.Address)
	}
	return text
}

// ErrStray says that a request to the redirect endpoint belongs to no authorisation that this browser began
// within the last ten minutes. Nothing was changed.
var ErrStray = errors.New("this request belongs to no running authorisation")

// settleTime bounds what follows a callback: one token request, whose it is, and one sign-in at a mail server.
const settleTime = endpoint.Timeout + endpoint.UserInfoTimeout + proveTime + storeTime

// Complete takes a person's return from the provider: it checks the state, exchanges the code, stores the
// tokens and lets a mail server prove them. Doing it again returns the same outcome and changes nothing.
func (s *Service) Complete(ctx context.Context, c Callback) (Outcome, error) {
	if err := s.work.begin(); err != nil {
		return Outcome{}, err
	}
	defer s.work.end()
	ctx, cancel := detached(ctx, settleTime) // the code is used up whether or not the browser waits
	defer cancel()
	t, err := useTrip(ctx, s.pool, hashOf(c.State), c.Session, s.now())
	if errors.Is(err, problem.ErrNotFound) {
		return s.again(ctx, c)
	}
	if err != nil {
		return Outcome{}, err
	}
	g, r, err := s.tripParties(ctx, t)
	if err != nil {
		return Outcome{}, err
	}
	o := s.arrive(ctx, t, g, r, c)
	return o, storeTripOutcome(ctx, s.pool, t.ID, o)
}

func (s *Service) tripParties(ctx context.Context, t trip) (held, Registration, error) {
	g, err := findGrantByID(ctx, s.pool, t.GrantID)
	if err != nil {
		return held{}, Registration{}, err
	}
	r, err := findClient(ctx, s.pool, t.RegistrationID)
	return g, r, err
}

// again answers a state that was used before.
func (s *Service) again(ctx context.Context, c Callback) (Outcome, error) {
	t, err := usedTrip(ctx, s.pool, hashOf(c.State), c.Session)
	if errors.Is(err, problem.ErrNotFound) {
		return Outcome{}, ErrStray
	}
	if err != nil {
		return Outcome{}, err
	}
	if t.Outcome == nil {
		return Outcome{Running: true, At: s.now()}, nil
	}
	return *t.Outcome, nil
}

// arrive turns the provider's answer into an outcome.
func (s *Service) arrive(ctx context.Context, t trip, g held, r Registration, c Callback) Outcome {
	if fault := s.refusedAnswer(t, g, r, c); fault != nil {
		return s.refused(ctx, g, *fault)
	}
	a, err := s.askerFor(ctx, r, r.ActiveSlot)
	if err != nil {
		return s.failed(ctx, g, r, t.RedirectURI, err)
	}
	verifier, err := s.box.Open(t.SealedVerifier, verifierPlace(t.ID, r.Settings))
	if err != nil {
		return s.failed(ctx, g, r, t.RedirectURI, err)
	}
	tokens, err := s.obtain(ctx, a, endpoint.Code(c.Code, t.RedirectURI, verifier))
	if err != nil {
		return s.failed(ctx, g, r, t.RedirectURI, err)
	}
	return s.settle(ctx, g, r, tokens, t.StartedBy)
}

// refusedAnswer finds an error in the answer itself: the provider's, a foreign issuer's, or no code.
func (s *Service) refusedAnswer(t trip, g held, r Registration, c Callback) *ladder.Fault {
	var f ladder.Fault
	switch {
	case !r.issues(c.Issuer):
		f = ladder.Fault{
			Code: "oauth_wrong_issuer", Cause: fmt.Sprintf("The answer came from %s, not from the provider of this registration.", explain.Clean(c.Issuer)),
			Who: ladder.You, Authorise: true,
			Remedy: "Start the authorisation again. If it happens again, compare the permission URL and the issuer of the registration with the provider's documentation.",
		}
	case c.Error != "":
		f = explain.OAuth(c.Error, c.ErrorDescription, explainContext(r, g.Address, t.RedirectURI))
	case c.Code == "":
		f = ladder.Fault{
			Code: "oauth_no_code", Cause: "The provider's answer has no authorisation code.", Who: ladder.You, Authorise: true,
			Remedy: "Start the authorisation again, and check that nothing between the browser and Orbit cuts the address off.",
		}
	default:
		return nil
	}
	return &f
}

// issues checks the issuer of an answer, where the provider names one (RFC 9207 2.4).
func (s Settings) issues(iss string) bool {
	if iss == "" || iss == s.Issuer {
		return true
	}
	if s.Issuer != "" {
		return false
	}
	given, err1 := url.Parse(iss)
	known, err2 := url.Parse(s.PermissionURL)
	return err1 == nil && err2 == nil && given.Scheme == known.Scheme && strings.EqualFold(given.Host, known.Host)
}

// settle stores the tokens of a new consent and lets a mail server prove them.
func (s *Service) settle(ctx context.Context, g held, r Registration, t endpoint.Tokens, by string) Outcome {
	signedInAs := s.signedInAs(ctx, r, t)
	o, err := s.seal(g.Grant, r.Settings, t)
	if err == nil {
		err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
			if err := storeAuthorised(ctx, tx, g, o, r.ID, signedInAs, by); err != nil {
				return err
			}
			if err := unflagGrantsOf(ctx, tx, r.ID); err != nil {
				return err
			}
			servers, err := s.approveForGrant(ctx, tx, g.Grant, r, by)
			if err != nil {
				return err
			}
			return s.recordGrant(ctx, tx, "authorised", g.Grant, map[string]any{
				"servers": servers, "flow": r.EffectiveFlow(), "registration": r.Pattern, "slot": r.ActiveSlot, "signed_in_as": signedInAs, "started_by": by})
		})
	}
	s.cache.drop(g.Address)
	if err != nil {
		s.log.Error("store the tokens of an authorisation", "address", g.Address, "error", err)
		f := unprepared()
		return s.outcome(g.Grant, &f)
	}
	if r.EffectiveFlow().NeedsPerson() && o.refresh == nil {
		s.tell(Event{Kind: NoRefreshToken, Address: g.Address})
	}
	out := s.proven(ctx, g.Address, t)
	if out.Fault == nil || !out.Fault.Authorise { // else the page tells the person to open the link once more
		if err := endStarts(ctx, s.pool, g.ID, s.now()); err != nil {
			s.log.Error("close the start addresses of an authorised mailbox", "address", g.Address, "error", err)
		}
	}
	return out
}

// failed keeps why a token request after a consent failed.
func (s *Service) failed(ctx context.Context, g held, r Registration, redirectURI string, err error) Outcome {
	v := judge(err, r, g.Address, redirectURI)
	s.log.Warn("exchange an authorisation code", "address", g.Address, "registration", r.Pattern, "code", v.fault.Code, "error", err)
	return s.refused(ctx, g, v.fault)
}

// refused keeps why an authorisation failed. A grant that works goes on working: somebody may have tried
// to authorise it again and given up.
func (s *Service) refused(ctx context.Context, g held, f ladder.Fault) Outcome {
	err := postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		if g.State == None || g.FailedBecause == GrantFailed {
			if err := storeFailure(ctx, tx, g, GrantFailed, f, s.now()); err != nil {
				return err
			}
		}
		return s.recordGrant(ctx, tx, "authorisation_failed", g.Grant, map[string]any{"code": f.Code, "by": audit.ActorFrom(ctx).Name})
	})
	if err != nil {
		s.log.Error("store why an authorisation failed", "address", g.Address, "error", err)
	}
	s.tell(Event{Kind: AuthorisationFailed, Address: g.Address, Fault: f})
	return s.outcome(g.Grant, &f)
}

func (s *Service) outcome(g Grant, f *ladder.Fault) Outcome {
	return Outcome{Address: g.Address, State: g.State, Fault: f, At: s.now()}
}

func (s *Service) noRegistration(err error, address string) error {
	if errors.Is(err, problem.ErrNotFound) {
		return unregistered(address)
	}
	return err
}

// addScopes appends the scopes that are missing.
func addScopes(scope string, more ...string) string {
	have := strings.Fields(scope)
	for _, m := range more {
		if !slices.Contains(have, m) {
			have = append(have, m)
		}
	}
	return strings.Join(have, " ")
}
