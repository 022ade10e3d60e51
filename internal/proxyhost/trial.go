package proxyhost

import (
	"context"
	"errors"
	"iter"
	"slices"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/proxy"
	"orbit/internal/oauth"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// localPort is the step in front of those of the mail server: does anybody answer here?
const localPort ladder.Name = "local_port"

// Trial is a test of a listener: the steps to its mail server, and what stands in the way.
type Trial struct {
	Steps []ladder.Step `json:"steps"`
	Fault *ladder.Fault `json:"fault,omitempty"`
	Place string        `json:"server"` // "IMAP at outlook.office365.com:993"
	Ended bool          `json:"-"`      // false: more steps may come
}

// Greeting is what the local port said first, "" when nobody was asked or nobody answered.
func (t Trial) Greeting() string {
	for _, step := range t.Steps {
		if step.Name == localPort && len(step.Transcript) > 0 {
			return step.Transcript[0].Text
		}
	}
	return ""
}

// Test climbs from the local port of a listener to its mail server, as a session would. With a mailbox it gets the
// token and signs in; the grant hears what the server says. Observe may be nil.
func (s *Service) Test(ctx context.Context, id int64, mailbox string, observe ladder.Observer) (Trial, error) {
	found, err := s.Find(ctx, id)
	if err != nil {
		return Trial{}, err
	}
	account, known, err := s.trialAccount(ctx, mailbox)
	if err != nil {
		return Trial{}, err
	}
	rungs := ladder.New(observe)
	target := found.proxied(id)
	trial := Trial{Place: place(target)}
	failed := s.climbLocal(ctx, rungs, found)
	if failed == nil {
		var token func(context.Context) (vault.Secret, error)
		if account.Mailbox != "" {
			token = func(ctx context.Context) (vault.Secret, error) { return s.token(ctx, target, account.Mailbox) }
		}
		failed = proxy.Climb(ladder.With(ctx, rungs), backend{s}, target, account, known, token)
		s.judged(ctx, target, account, failed)
	}
	trial.Steps, trial.Ended = rungs.Steps(), true
	if failed != nil {
		trial.Fault = &failed.Fault
	}
	return trial, nil
}

// unseenSteps is how many steps Watch keeps for a reader that is slow. A visit has fewer; what is lost is there at the end.
const unseenSteps = 64

// Watch makes the same test and yields it each time a step begins or ends, and at last when it has ended. The test
// ends with its reader.
func (s *Service) Watch(ctx context.Context, id int64, mailbox string) iter.Seq2[Trial, error] {
	return func(yield func(Trial, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		steps := make(chan ladder.Step, unseenSteps)
		var whole Trial
		var err error
		go func() {
			defer close(steps)
			whole, err = s.Test(ctx, id, mailbox, func(step ladder.Step) {
				select {
				case steps <- step:
				default:
				}
			})
		}()
		defer func() {
			cancel()
			for range steps { // until the visit has ended, too
			}
		}()
		var seen Trial
		for step := range steps {
			seen.add(step)
			if !yield(seen, nil) {
				return
			}
		}
		yield(whole, err)
	}
}

// add appends a step that began, or replaces it by its end.
func (t *Trial) add(step ladder.Step) {
	t.Steps = slices.Clone(t.Steps) // the reader may have kept those before
	if n := len(t.Steps); n > 0 && t.Steps[n-1].Started.Equal(step.Started) {
		t.Steps[n-1] = step
		return
	}
	t.Steps = append(t.Steps, step)
}

// trialAccount is as whom a test signs in; without a mailbox as nobody.
func (s *Service) trialAccount(ctx context.Context, mailbox string) (proxy.Account, explain.Context, error) {
	address := oauth.Normal(mailbox)
	if address == "" {
		return proxy.Account{}, explain.Context{}, nil
	}
	r, err := s.oauth.Lookup(ctx, address)
	if errors.Is(err, problem.ErrNotFound) {
		return proxy.Account{}, explain.Context{}, problem.Invalid{{Name: "address", Text: "No OAuth registration covers " + address + "."}}
	}
	return proxy.Account{ID: r.ID, Name: address, Mailbox: address}, knownOf(r, address), err
}

// climbLocal asks the port itself. A stopped listener is no obstacle on the way to the server.
func (s *Service) climbLocal(ctx context.Context, rungs *ladder.Ladder, l Listener) *ladder.Error {
	rungs.Begin(localPort, "Local port")
	switch {
	case l.Wanted == Stopped:
		rungs.Warn("The listener is stopped: nobody can connect to %s until it is started.", l.Local())
		rungs.End("stopped")
		return nil
	case l.ProxyProtocol:
		rungs.End("not asked: %s speaks only to a load balancer that sends a PROXY protocol header", l.Local())
		return nil
	}
	greeting, err := s.Knock(ctx, l.ID)
	if err == nil {
		rungs.Record("server", greeting)
		rungs.End("%s answers", l.Local())
		return nil
	}
	var failed *ladder.Error
	errors.As(rungs.Fail(localPort, silent(l, err), err), &failed)
	return failed
}

func silent(l Listener, err error) ladder.Fault {
	return ladder.Fault{
		Code: "listener_silent", Cause: err.Error(), Who: ladder.You,
		Remedy: "Look at the state of " + l.Name + " in the list of listeners. Where another program has the port, choose another one; where no Orbit process runs it, start orbit serve.",
	}
}

// judged lets the grant know what the server has said to its token, as after a sign-in of a client.
func (s *Service) judged(ctx context.Context, l proxy.Listener, account proxy.Account, failed *ladder.Error) {
	var rejection *proxy.Rejection
	switch {
	case account.Mailbox == "":
	case failed == nil:
		s.proved(ctx, l, account.Mailbox)
	case failed.Step == ladder.Auth && errors.As(failed, &rejection) && !rejection.Temporary:
		s.refused(ctx, l, account.Mailbox, rejection)
	}
}
