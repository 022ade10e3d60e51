package notify

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"orbit/internal/account"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/provider"
	"orbit/internal/setting"
)

// routeFresh is how long a process relies on what it knows of accounts. Its own discoveries count at once.
const routeFresh = 500 * time.Millisecond

// routeOf is the route of a message: the wanted account, 0 for the default one, or minus the account that it must
// not use.
func routeOf(account, avoid int64) int64 {
	if avoid != 0 && (account == 0 || account == avoid) {
		return -avoid
	}
	return account
}

// senderState is what all processes together know of an account.
type senderState struct {
	AccountID   int64         `db:"smtp_account_id"`
	Failures    int           `db:"failures"`
	Strikes     int           `db:"strikes"`
	Broken      bool          `db:"broken"`
	Resting     bool          `db:"resting"`
	BrokenUntil *time.Time    `db:"broken_until"`
	RestUntil   *time.Time    `db:"rest_until"`
	Fault       *ladder.Fault `db:"fault"`
	FailedAt    *time.Time    `db:"failed_at"`
	SucceededAt *time.Time    `db:"succeeded_at"`
}

// routing remembers the accounts and their state.
type routing struct {
	mu     sync.Mutex
	known  remembered[map[int64]senderState]
	all    []account.SMTP
	forgot int // how often; an answer that was asked for before is old
}

// routes says which account serves which route now.
type routes struct {
	accounts []account.SMTP // in the order in which they are tried
	states   map[int64]senderState
}

func (s *Service) currentRoutes(ctx context.Context) (routes, error) {
	s.routes.mu.Lock()
	known, all, forgot := s.routes.known, s.routes.all, s.routes.forgot
	s.routes.mu.Unlock()
	if time.Since(known.at) < routeFresh {
		return routes{all, known.value}, nil
	}
	asked := time.Now()
	all, err := s.accounts.Senders(ctx)
	if err != nil {
		return routes{}, err
	}
	states, err := selectSenderStates(ctx, s.pool)
	if err != nil {
		return routes{}, err
	}
	s.routes.mu.Lock()
	defer s.routes.mu.Unlock()
	if s.routes.forgot == forgot {
		s.routes.known, s.routes.all = remembered[map[int64]senderState]{states, asked}, all
	}
	return routes{all, states}, nil
}

// forgetRoutes makes the next question go to the database.
func (s *Service) forgetRoutes() {
	s.routes.mu.Lock()
	defer s.routes.mu.Unlock()
	s.routes.known = remembered[map[int64]senderState]{}
	s.routes.forgot++
}

// ids lists every route that there may be.
func (r routes) ids() []int64 {
	ids := []int64{0}
	for _, a := range r.accounts {
		ids = append(ids, a.ID, -a.ID)
	}
	return ids
}

// acting returns the account that serves a route: the wanted one while it works, else the default account, else the
// alternatives in their order. Without an enabled default account nothing leaves that has not an account of its own.
func (r routes) acting(route int64) (account.SMTP, bool) {
	if i := slices.IndexFunc(r.accounts, func(a account.SMTP) bool { return a.ID == route }); i >= 0 && r.usable(r.accounts[i]) {
		return r.accounts[i], true
	}
	hasDefault := slices.ContainsFunc(r.accounts, func(a account.SMTP) bool { return a.DefaultAccount })
	for _, a := range r.accounts {
		if hasDefault && (a.DefaultAccount || a.FallbackOrder > 0) && a.ID != -route && r.usable(a) {
			return a, true
		}
	}
	return account.SMTP{}, false
}

// expected returns the account that the messages of a route wait for: the one that serves it, or, while none does,
// the one that should.
func (r routes) expected(route int64) int64 {
	if a, ok := r.acting(route); ok {
		return a.ID
	}
	if slices.ContainsFunc(r.accounts, func(a account.SMTP) bool { return a.ID == route }) {
		return route
	}
	if i := slices.IndexFunc(r.accounts, func(a account.SMTP) bool { return a.DefaultAccount && a.ID != -route }); i >= 0 {
		return r.accounts[i].ID
	}
	return 0
}

// usable reports whether an account works as far as is known. One that was changed since it failed is tried again.
func (r routes) usable(a account.SMTP) bool {
	state := r.states[a.ID]
	return !state.Broken || state.FailedAt != nil && a.ChangedAt.After(*state.FailedAt)
}

// messageDomain is the right side of Message-IDs: that of the default sender, because some filters distrust others.
func (s *Service) messageDomain(ctx context.Context) string {
	if r, err := s.currentRoutes(ctx); err == nil && len(r.accounts) > 0 {
		_, domain, _ := strings.Cut(r.accounts[0].SenderEmail, "@")
		if plainDomain(domain) {
			return domain
		}
	}
	if host := s.baseURL.Hostname(); plainDomain(host) {
		return host
	}
	return "orbit.invalid"
}

func plainDomain(domain string) bool {
	return domain != "" && strings.Trim(strings.ToLower(domain), "abcdefghijklmnopqrstuvwxyz0123456789.-") == ""
}

// limits are what an account may do.
type limits struct {
	connections int
	perMinute   int // 0: no limit
}

// providerMargin is left of a provider's limit per minute: other programs may use the mailbox too.
const providerMargin = 2

// limitsOf finds the limits of an account: its own, the provider's, or those of System Parameters.
func limitsOf(a account.SMTP, parameters setting.Application) limits {
	known := provider.LimitsFor(provider.ID(a.Provider), a.SMTPHost)
	if known.MaxMessagesPerMinute > providerMargin {
		known.MaxMessagesPerMinute -= providerMargin
	}
	return limits{
		connections: firstNumber(a.MaxConnections, known.MaxConnections, parameters.SenderMaxConnections, 1),
		perMinute:   firstNumber(a.MaxMessagesPerMinute, known.MaxMessagesPerMinute, parameters.SenderMaxMessagesPerMinute),
	}
}

// slowed lowers the connections of an account whose server asked for less, and of one that has just failed.
func (l limits) slowed(state senderState) limits {
	l.connections = max(1, l.connections-state.Strikes)
	if state.Failures > 0 {
		l.connections = 1
	}
	return l
}

// reserve is what of the messages per minute only urgent ones may use.
func (l limits) reserve() int { return max(1, l.perMinute/7) }

func firstNumber(numbers ...int) int {
	for _, n := range numbers {
		if n != 0 {
			return n
		}
	}
	return 0
}
