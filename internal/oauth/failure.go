package oauth

import (
	"context"
	"crypto/sha1" //nolint:gosec // the thumbprint that Microsoft's pages show
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/oauth/endpoint"
	"orbit/internal/postgres"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// verdict is what a failed token request means.
type verdict struct {
	because Reason // NoReason: temporary, the grant stays as it is
	fault   ladder.Fault
	wait    time.Duration // that the provider asked for
	used    bool          // the provider has seen the secrets
}

// judge decides what a failed token request means for the grant, its client and the next try.
func judge(err error, r Registration, address, redirectURI string) verdict {
	var v verdict
	var refused *endpoint.Error
	var step *ladder.Error
	switch {
	case errors.As(err, &step): // the way there: network connector, network rules
		v.fault = step.Fault
	case errors.As(err, &refused) && refused.Code != "":
		v.because, v.wait = blame(refused, r.EffectiveFlow()), refused.RetryAfter
		v.fault = explain.OAuth(refused.Code, refused.Description, explainContext(r, address, redirectURI))
	case errors.As(err, &refused) && refused.Status != 0:
		v.wait = refused.RetryAfter
		v.fault = strangeAnswer(refused, r)
	case errors.As(err, &refused):
		v.fault = unreachable(refused.Err, r)
	case errors.Is(err, vault.ErrDoesNotOpen):
		v.because, v.fault = GrantFailed, shut()
	default:
		v.fault = unprepared()
	}
	v.used = refused != nil && refused.Status != 0
	v.fault.Temporary = v.because == NoReason
	v.fault.Authorise = v.fault.Authorise && r.EffectiveFlow().NeedsPerson()
	return v
}

// blame says whose failure an error code is (RFC 6749 5.2 and what providers add).
func blame(e *endpoint.Error, flow Flow) Reason {
	switch {
	case e.Temporary():
		return NoReason
	case e.Code == "invalid_client":
		return ClientFail
	case e.Code == "unauthorized_client" && flow != ServiceAccount:
		return ClientFail // with service_account it is one domain that has not delegated
	}
	return GrantFailed
}

func explainContext(r Registration, address, redirectURI string) explain.OAuthContext {
	c := explain.OAuthContext{
		ClientID: r.ClientID, TenantID: r.Tenant, Scope: r.Scope, RedirectURI: redirectURI, Address: address,
		TokenURL: r.TokenURL, Flow: string(r.EffectiveFlow()), Provider: r.Provider,
	}
	if secret, ok := r.Active(); ok {
		c.Thumbprint = shortThumbprint(secret.Certificate)
	}
	return c
}

// shortThumbprint is the SHA-1 of a certificate, under which Microsoft lists it.
func shortThumbprint(certificate string) string {
	block, _ := pem.Decode([]byte(certificate))
	if block == nil {
		return ""
	}
	sum := sha1.Sum(block.Bytes) //nolint:gosec // a name, not a protection
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

func hostPort(address string) (string, int) {
	u, err := url.Parse(address)
	if err != nil {
		return "", 0
	}
	if port, err := strconv.Atoi(u.Port()); err == nil {
		return u.Hostname(), port
	}
	if u.Scheme == "http" {
		return u.Hostname(), 80
	}
	return u.Hostname(), 443
}

// unreachable explains a token endpoint that was not reached.
func unreachable(err error, r Registration) ladder.Fault {
	host, port := hostPort(r.TokenURL)
	where := explain.Context{Host: host, Port: port}
	var dial *net.OpError
	var name *net.DNSError
	switch {
	case errors.As(err, &name):
		return explain.Network(ladder.Resolve, err, where)
	case errors.As(err, &dial) && dial.Op == "dial", errors.Is(err, context.DeadlineExceeded):
		return explain.Network(ladder.Connect, err, where)
	}
	return ladder.Fault{
		Code: "token_endpoint_unreachable", Cause: fmt.Sprintf("The token endpoint at %s could not be asked: %v.", host, err),
		Who:    ladder.NetworkTeam,
		Remedy: fmt.Sprintf("Check that this machine reaches %s on port %d, directly or through the registration's network connector, and that no proxy replaces the certificate.", host, port),
	}
}

// strangeAnswer explains an answer that is not one of a token endpoint.
func strangeAnswer(e *endpoint.Error, r Registration) ladder.Fault {
	host, _ := hostPort(r.TokenURL)
	f := ladder.Fault{
		Code:   "token_endpoint_answer",
		Cause:  fmt.Sprintf("%s answered with status %d, but not as a token endpoint does.", host, e.Status),
		Who:    ladder.You,
		Remedy: fmt.Sprintf("Check the token URL %s. A filtering proxy or a sign-in page of the network in between answers like this, too.", r.TokenURL),
	}
	if e.Status == 429 || e.Status >= 500 {
		f.Cause, f.Who = fmt.Sprintf("%s is overloaded or out of order (status %d).", host, e.Status), ladder.Nobody
		f.Remedy, f.Throttled = "Orbit tries again by itself.", e.Status == 429
	}
	return f
}

// unprepared explains a request that could not even be made.
func unprepared() ladder.Fault {
	return ladder.Fault{
		Code: "token_unprepared", Cause: "Orbit could not prepare the request for a token.", Who: ladder.You,
		Remedy: "Try again; the log has the details.",
	}
}

// shut explains a sealed value that does not open: the endpoint it was given for is another now.
func shut() ladder.Fault {
	return ladder.Fault{
		Code: "token_secret_shut", Cause: "A stored secret belongs to another token URL or to other keys, and does not open.", Who: ladder.You,
		Remedy: "Enter the secret of the registration again, then authorise the address again.", Authorise: true,
	}
}

// unregistered says that no registration covers an address.
func unregistered(address string) error {
	_, domain, _ := strings.Cut(address, "@")
	return &ladder.Error{Step: ladder.Token, Err: problem.ErrNotFound, Fault: ladder.Fault{
		Code: "oauth_unregistered", Cause: fmt.Sprintf("No OAuth registration covers %s.", address), Who: ladder.You,
		Remedy: fmt.Sprintf("Register %s, @%s or @ under Settings > Notifications > Email OAuth 2.0 proxy.", address, domain),
	}}
}

// unauthorised says that somebody has to consent at the provider first.
func unauthorised(address string, flow Flow) error {
	f := ladder.Fault{
		Code: "oauth_unauthorised", Cause: fmt.Sprintf("%s is not authorised at the provider yet.", address),
		Who: ladder.MailboxOwner, Authorise: true,
		Remedy: "Choose Authorise now, sign in at the provider as " + address + " and accept.",
	}
	if flow == Password {
		f.Who, f.Authorise = ladder.You, false
		f.Remedy = "Enter the mailbox's password under Settings > Notifications > Email OAuth 2.0 proxy."
	}
	return &ladder.Error{Step: ladder.Token, Fault: f}
}

// kept returns the failure that is stored with a grant.
func kept(g Grant) error {
	f := ladder.Fault{Code: "oauth_failed", Cause: fmt.Sprintf("There is no valid token for %s.", g.Address), Who: ladder.You, Authorise: true}
	if g.Fault != nil {
		f = *g.Fault
	}
	return &ladder.Error{Step: ladder.Token, Fault: f}
}

const (
	firstWait  = 2 * time.Second
	longestGap = 5 * time.Minute
)

// backOff doubles from two seconds to five minutes; the provider's own wish counts when it is longer.
func backOff(failures int, asked time.Duration) time.Duration {
	wait := longestGap
	if failures < 8 {
		wait = min(firstWait<<failures, longestGap)
	}
	return max(wait, asked)
}

// storeVerdict keeps a failure where it belongs: with the grant alone, or with every grant of the client.
func (s *Service) storeVerdict(ctx context.Context, g held, r Registration, v verdict) error {
	retryAt := s.now().Add(backOff(g.Failures, v.wait))
	if v.because == ClientFail {
		retryAt = s.now().Add(max(longestGap, v.wait)) // a refused client does not heal within seconds
	}
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		if err := v.store(ctx, tx, g, r, retryAt); err != nil || !v.used && v.because == NoReason {
			return err
		}
		return s.recordGrant(ctx, tx, "refresh_failed", g.Grant, map[string]any{
			"because": v.because, "code": v.fault.Code, "registration": r.Pattern, "slot": r.ActiveSlot})
	})
}

func (v verdict) store(ctx context.Context, tx pgx.Tx, g held, r Registration, retryAt time.Time) error {
	if v.because == NoReason {
		return storeTrouble(ctx, tx, g, v.fault, retryAt)
	}
	if err := storeFailure(ctx, tx, g, v.because, v.fault, retryAt); err != nil || v.because != ClientFail {
		return err
	}
	return flagGrantsOf(ctx, tx, r.ID, v.fault, retryAt)
}
