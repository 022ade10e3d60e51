package oauth

import (
	"strings"
	"time"

	"orbit/internal/mail/ladder"
)

// State is what a grant is good for.
type State string

// The states.
const (
	None    State = "none"    // nothing was obtained yet
	Waiting State = "waiting" // tokens are there, no mail server has accepted one yet
	Active  State = "active"  // a mail server has accepted a token
	Failed  State = "failed"  // somebody has to act: Fault says who and what
)

// Reason says on whose account a grant failed, which decides what heals it.
type Reason string

// The reasons.
const (
	NoReason    Reason = ""
	GrantFailed Reason = "grant"    // the provider takes the grant no more: authorise again
	ClientFail  Reason = "client"   // the provider refuses the client: heals with its secret
	UpstreamNo  Reason = "upstream" // the mail server refuses the token: heals with the next one it accepts
)

// Grant is what one address has.
type Grant struct {
	ID             int64         `json:"id"`
	Address        string        `json:"address"`
	RegistrationID int64         `json:"oauth_client_id" db:"oauth_client_id"`
	State          State         `json:"state"`
	FailedBecause  Reason        `json:"failed_because,omitempty"`
	Scope          string        `json:"scope,omitempty"`
	SignedInAs     string        `json:"signed_in_as,omitempty"`
	IssuedAt       *time.Time    `json:"issued_at,omitempty"`
	ExpiresAt      *time.Time    `json:"expires_at,omitempty"`
	RefreshDueAt   *time.Time    `json:"refresh_due_at,omitempty"`
	Failures       int           `json:"failures,omitempty"`
	RetryAt        *time.Time    `json:"retry_at,omitempty"`
	Fault          *ladder.Fault `json:"fault,omitempty"`
	FailedAt       *time.Time    `json:"failed_at,omitempty"`
	AuthorisedAt   *time.Time    `json:"authorised_at,omitempty"`
	AuthorisedBy   string        `json:"authorised_by,omitempty"`
	ProvenAt       *time.Time    `json:"proven_at,omitempty"`
	ProvenBy       string        `json:"proven_by,omitempty"`
	CreatedAt      time.Time     `json:"created_at"`
	ChangedAt      time.Time     `json:"changed_at"`

	// ApprovedServers are those where its tokens may go beside the provider's own and this machine.
	ApprovedServers []ApprovedServer `json:"approved_servers,omitempty" db:"-"`
}

// ApprovedServer is a mail server that a consent, or whoever entered a secret, has approved for tokens.
type ApprovedServer struct {
	Server     string    `json:"server"` // "mail.example.com:587, STARTTLS"
	ApprovedAt time.Time `json:"approved_at"`
	ApprovedBy string    `json:"approved_by,omitempty"`
}

// Approved lists the approved servers in one line, "" for none, and the last of the approvals. One consent gives them all.
func (g Grant) Approved() (servers string, last ApprovedServer) {
	names := make([]string, len(g.ApprovedServers))
	for i, a := range g.ApprovedServers {
		names[i] = a.Server
		if a.ApprovedAt.After(last.ApprovedAt) {
			last = a
		}
	}
	return strings.Join(names, "; "), last
}

// WrongMailbox reports whether the provider named another mailbox than the expected one. That can be meant,
// for a shared mailbox, so it is said and not refused: the mail server decides.
func (g Grant) WrongMailbox() bool { return g.SignedInAs != "" && Normal(g.SignedInAs) != g.Address }

// held is a grant with its sealed tokens, as the store reads it.
type held struct {
	Grant
	SealedAccess   []byte
	SealedRefresh  []byte
	SealedPassword []byte
	Generation     int64 // of the tokens
	Consent        int64 // of what they are based on
}

// life says when an access token ends and when it is renewed.
type life struct{ issued, expires, refreshDue time.Time }

const (
	refreshShare = 0.8              // of an access token's life, then it is renewed in the background
	mostMargin   = 60 * time.Second // a token with less left is not handed out: a sign-in takes seconds
)

func newLife(now time.Time, lifetime time.Duration) life {
	share := time.Duration(float64(lifetime) * refreshShare)
	return life{issued: now, expires: now.Add(lifetime), refreshDue: now.Add(share)}
}

// usableUntil leaves a margin, a tenth of the life for tokens that live shorter than ten minutes.
func usableUntil(issued, expires time.Time) time.Time {
	return expires.Add(-min(mostMargin, expires.Sub(issued)/10))
}

func (h held) usable(now time.Time) bool {
	return h.SealedAccess != nil && h.IssuedAt != nil && h.ExpiresAt != nil && now.Before(usableUntil(*h.IssuedAt, *h.ExpiresAt))
}

func (h held) refreshDue(now time.Time) bool {
	return h.RefreshDueAt == nil || !now.Before(*h.RefreshDueAt)
}
