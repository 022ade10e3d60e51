package oauth

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"orbit/internal/vault"
)

func TestHundredSignInsInTwoProcessesAskOnce(t *testing.T) {
	b := authorised(t)
	other := b.process()
	b.clock.advance(2 * time.Hour) // the token has expired
	before := b.provider.requests()
	tokens := make([]string, 100)
	var group sync.WaitGroup
	for i := range tokens {
		group.Go(func() {
			service := b.Service
			if i%2 == 1 {
				service = other
			}
			token, err := service.access(context.Background(), address)
			if err != nil {
				t.Errorf("token: %v", err)
			}
			tokens[i] = token.Reveal()
		})
	}
	group.Wait()
	if n := b.provider.requests() - before; n != 1 {
		t.Errorf("%d token requests, want 1", n)
	}
	for _, token := range tokens {
		if token != tokens[0] || token == "" {
			t.Fatalf("different tokens: %q and %q", token, tokens[0])
		}
	}
}

func TestTokenIsKeptWhileItIsValid(t *testing.T) {
	b := authorised(t)
	before := b.provider.requests()
	first := b.token(address)
	b.clock.advance(time.Hour - 2*time.Minute)
	if b.token(address) != first || b.provider.requests() != before {
		t.Error("a valid token was renewed")
	}
	b.clock.advance(time.Minute + time.Second) // less than a minute is left: a sign-in may take that long
	if b.token(address) == first {
		t.Error("a token in its last minute was handed out")
	}
}

func TestRotatedRefreshTokenIsStoredBeforeTheTokenIsUsed(t *testing.T) {
	b := authorised(t)
	b.provider.strict = true
	for range 3 {
		b.clock.advance(2 * time.Hour)
		b.token(address)
		g, err := findGrant(context.Background(), b.pool, address)
		if err != nil {
			t.Fatal(err)
		}
		r, err := b.Lookup(context.Background(), address)
		if err != nil {
			t.Fatal(err)
		}
		stored, err := b.box.Open(g.SealedRefresh, refreshPlace(g.Grant, r.Settings))
		if err != nil || !b.provider.valid[stored.Reveal()] {
			t.Fatalf("the stored refresh token is not the newest: %v", err)
		}
	}
	b.wantState(address, Active)
}

func TestLeaseOfAKilledProcessIsTakenOver(t *testing.T) {
	b := authorised(t)
	b.clock.advance(2 * time.Hour)
	b.exec("update oauth_grant set lease_owner = 'killed', lease_until = now() - interval '1 second'")
	if b.token(address) == "" {
		t.Error("no token")
	}
	if n := b.count("select count(*) from oauth_grant where lease_owner <> ''"); n != 0 {
		t.Error("the lease is still held")
	}
}

func TestOtherProcessWaitsForTheLease(t *testing.T) {
	b := authorised(t)
	b.clock.advance(2 * time.Hour)
	other := b.process()
	b.provider.release = make(chan struct{})
	for len(b.provider.entered) > 0 {
		<-b.provider.entered
	}
	results := make(chan string, 2)
	ask := func(s *Service) {
		token, err := s.access(context.Background(), address)
		if err != nil {
			t.Errorf("token: %v", err)
		}
		results <- token.Reveal()
	}
	before := b.provider.requests()
	go ask(b.Service)
	<-b.provider.entered // the first process is at the provider
	go ask(other)
	close(b.provider.release)
	if first, second := <-results, <-results; first != second {
		t.Errorf("two tokens: %q and %q", first, second)
	}
	if n := b.provider.requests() - before; n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestLeavingCallerDoesNotCutOffTheRequest(t *testing.T) {
	b := authorised(t)
	b.clock.advance(2 * time.Hour)
	b.provider.strict = true
	b.provider.release = make(chan struct{})
	for len(b.provider.entered) > 0 {
		<-b.provider.entered
	}
	ctx, leave := context.WithCancel(context.Background())
	left := make(chan error)
	go func() {
		_, err := b.access(ctx, address)
		left <- err
	}()
	<-b.provider.entered
	leave()
	if err := <-left; err == nil {
		t.Error("the caller that left got a token")
	}
	close(b.provider.release)
	b.work.stop() // waits for what was begun
	b.Service = b.process()
	before := b.provider.requests()
	b.token(address)
	if b.provider.requests() != before {
		t.Error("what the first caller asked for was not stored")
	}
}

// lostRefresh is a process killed after the provider answered and before it could store the answer.
func lostRefresh(t *testing.T, strict bool) *bundle {
	b := authorised(t)
	b.provider.strict = strict
	b.clock.advance(2 * time.Hour)
	g, err := findGrant(context.Background(), b.pool, address)
	if err != nil {
		t.Fatal(err)
	}
	r, err := b.Lookup(context.Background(), address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.request(context.Background(), g, r); err != nil {
		t.Fatal(err)
	}
	b.exec("update oauth_grant set lease_owner = 'killed', lease_until = now()")
	return b
}

func TestKilledAfterTheAnswerSurvivesWherePreviousTokensAreTaken(t *testing.T) {
	b := lostRefresh(t, false)
	b.token(address)
	b.wantState(address, Active)
}

func TestKilledAfterTheAnswerFailsWithRemedyWhereTheyAreNot(t *testing.T) {
	b := lostRefresh(t, true)
	_, err := b.access(context.Background(), address)
	fault := wantFault(t, err)
	if !fault.Authorise || fault.Remedy == "" || fault.Temporary {
		t.Errorf("fault %+v does not ask to authorise again", fault)
	}
	g := b.wantState(address, Failed)
	if g.FailedBecause != GrantFailed || g.Fault == nil {
		t.Errorf("grant %+v", g)
	}
	before := b.provider.requests()
	if _, err := b.access(context.Background(), address); err == nil {
		t.Error("a failed grant gave a token")
	}
	if b.provider.requests() != before {
		t.Error("a dead grant is asked for again")
	}
}

func TestRefusedTokenIsRenewedOnce(t *testing.T) {
	b := authorised(t)
	old := b.token(address)
	b.clock.advance(10 * time.Minute)
	before := b.provider.requests()
	for range 5 {
		again, err := b.Invalidate(context.Background(), address, vault.NewSecret(old))
		if err != nil || !again {
			t.Fatalf("invalidate: %v, %v", again, err)
		}
		if b.token(address) == old {
			t.Fatal("the refused token came back")
		}
	}
	if n := b.provider.requests() - before; n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	again, err := b.Invalidate(context.Background(), address, vault.NewSecret(b.token(address)))
	if err != nil || again {
		t.Errorf("a token of this moment is worth renewing: %v, %v", again, err)
	}
}

func TestBackgroundRefreshAtEightyPercentIsDoneByOneProcess(t *testing.T) {
	b := authorised(t)
	other := b.process()
	before := b.provider.requests()
	b.clock.advance(47 * time.Minute)
	b.refreshDue(context.Background())
	if b.provider.requests() != before {
		t.Error("refreshed before 80 % of life")
	}
	b.clock.advance(2 * time.Minute)
	var group sync.WaitGroup
	for _, s := range []*Service{b.Service, other} {
		group.Go(func() { s.refreshDue(context.Background()) })
	}
	group.Wait()
	if n := b.provider.requests() - before; n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	g := b.wantState(address, Active)
	if g.ExpiresAt.Before(b.clock.Now().Add(59 * time.Minute)) {
		t.Error("the token was not renewed")
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	b := authorised(t)
	b.clock.advance(2 * time.Hour)
	b.provider.header = http.Header{"Retry-After": {"600"}}
	b.provider.script(func(url.Values) (int, any) { return http.StatusTooManyRequests, "slow down" })
	_, err := b.access(context.Background(), address)
	if fault := wantFault(t, err); !fault.Temporary || !fault.Throttled {
		t.Errorf("fault %+v", fault)
	}
	b.wantState(address, Active)
	before := b.provider.requests()
	b.clock.advance(599 * time.Second)
	if _, err := b.access(context.Background(), address); err == nil || b.provider.requests() != before {
		t.Error("asked again before Retry-After was over")
	}
	b.provider.script(nil)
	b.clock.advance(2 * time.Second)
	b.token(address)
	if g := b.wantState(address, Active); g.Fault != nil || g.Failures != 0 {
		t.Errorf("the failure is still shown: %+v", g)
	}
}

func TestNetworkErrorKeepsTheGrantAndBacksOff(t *testing.T) {
	b := authorised(t)
	b.clock.advance(2 * time.Hour)
	b.provider.Close()
	var last time.Duration
	for range 4 {
		_, err := b.access(context.Background(), address)
		if fault := wantFault(t, err); !fault.Temporary || fault.Cause == "" || fault.Remedy == "" {
			t.Fatalf("fault %+v", fault)
		}
		g := b.wantState(address, Active)
		wait := g.RetryAt.Sub(b.clock.Now())
		if wait <= last || wait > longestGap {
			t.Fatalf("back-off of %s after %s", wait, last)
		}
		last = wait
		b.clock.advance(wait)
	}
}

func TestRefreshByHandIgnoresTheBackOff(t *testing.T) {
	b := authorised(t)
	b.clock.advance(2 * time.Hour)
	b.provider.script(func(url.Values) (int, any) { return http.StatusBadGateway, "<html>" })
	if _, err := b.access(context.Background(), address); err == nil {
		t.Fatal("no error")
	}
	b.provider.script(nil)
	if err := b.Refresh(context.Background(), address); err != nil {
		t.Error(err)
	}
}

func TestTokenOutlivesTheDatabase(t *testing.T) {
	b := authorised(t)
	token := b.token(address)
	b.clock.advance(10 * time.Second)
	b.pool.Close()
	if b.token(address) != token {
		t.Error("another token")
	}
}

func TestRunRefreshesAndEndsWhatItBegan(t *testing.T) {
	b := authorised(t)
	b.clock.advance(50 * time.Minute)
	b.provider.release = make(chan struct{})
	for len(b.provider.entered) > 0 {
		<-b.provider.entered
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- b.Run(ctx) }()
	<-b.provider.entered
	stop()
	select {
	case err := <-ended:
		t.Fatalf("Run ended while a request was under way: %v", err)
	default:
	}
	close(b.provider.release)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	g := b.wantState(address, Active)
	if g.ExpiresAt.Before(b.clock.Now().Add(59 * time.Minute)) {
		t.Error("the answer that came after the stop was not stored")
	}
}
