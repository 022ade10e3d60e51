package inbox

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"orbit/internal/account"
	"orbit/internal/credential"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/submit"
	"orbit/internal/problem"
)

const (
	maxLoopsAtOnce = 4
	loopSubject    = "Orbit loop test"
	loopText       = "Orbit has sent this message to itself, to see whether and when it arrives. It may be deleted."
)

// runLoops sends loop tests that somebody or a schedule asks for, and ends those that wait for nothing any more. Of
// several processes each test has one.
func (s *Service) runLoops(ctx context.Context) {
	var tests sync.WaitGroup
	defer tests.Wait()
	places := make(chan struct{}, maxLoopsAtOnce)
	for ctx.Err() == nil {
		free := cap(places) - len(places)
		claimed, err := s.dueLoops(ctx, free)
		if err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "look for loop tests", "error", err)
		}
		for _, test := range claimed {
			places <- struct{}{}
			tests.Go(func() {
				defer func() { <-places }()
				s.runLoop(ctx, test)
			})
		}
		wait(ctx, s.loopsAsked, s.times.look)
	}
}

func (s *Service) dueLoops(ctx context.Context, free int) ([]outgoing, error) {
	if err := startDueLoops(ctx, s.pool); err != nil {
		return nil, err
	}
	if err := s.endOverdueLoops(ctx); err != nil || free == 0 {
		return nil, err
	}
	return claimLoops(ctx, s.pool, free)
}

// endOverdueLoops gives up tests; any process does it for all. A message that comes later still counts.
func (s *Service) endOverdueLoops(ctx context.Context) error {
	overdue, err := selectOverdue(ctx, s.pool, s.times.loop)
	for _, test := range overdue {
		state, why := LoopLost, lostFault(test, s.times.loop)
		if test.State == LoopSending {
			state, why = LoopNotSent, interrupted
		}
		err = errors.Join(err, updateLoopFailed(ctx, s.pool, test.ID, state, why))
	}
	return err
}

var interrupted = ladder.Fault{
	Code: "loop_interrupted", Cause: "Orbit stopped while it sent the message.", Who: ladder.You, Remedy: "Start the test again.", Temporary: true,
}

func lostFault(test Loop, limit time.Duration) ladder.Fault {
	return ladder.Fault{
		Code: "loop_lost", Who: ladder.ServerAdmin, Reply: test.Reply,
		Cause: "The mail server of " + test.SMTPAccountName + " took the message, and within " + strconv.Itoa(int(limit.Minutes())) + " minutes it has not arrived in this mailbox.",
		Remedy: "Look whether " + test.Address + " is delivered to this mailbox, and into its folders for unwanted mail.\n" +
			"Look into the mailbox of the SMTP account's Return e-mail for a delivery error.\n" +
			"Ask the administrator of the mail server to trace the message: it said " + test.Reply,
	}
}

// runLoop sends one message and waits until somebody has seen it.
func (s *Service) runLoop(ctx context.Context, test outgoing) {
	result, err := s.sendLoop(ctx, test)
	if ctx.Err() != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.times.farewell)
		defer cancel()
		s.noteLoop(ctx, test, result, err)
		return
	}
	if s.noteLoop(ctx, test, result, err) {
		s.followLoop(ctx, test)
	}
}

// noteLoop records what the mail server said, and reports whether it took the message.
func (s *Service) noteLoop(ctx context.Context, test outgoing, result submit.Result, err error) (sent bool) {
	var noted error
	if err != nil {
		noted = updateLoopFailed(ctx, s.pool, test.ID, LoopNotSent, sendFault(err))
	} else {
		noted = updateLoopSent(ctx, s.pool, test.ID, result.Reply)
	}
	if noted != nil {
		s.log.WarnContext(ctx, "record a loop test", "test", test.ID, "error", noted)
	}
	return err == nil
}

// sendFault says why the message did not leave.
func sendFault(err error) ladder.Fault {
	var explained *ladder.Error
	var bad *submit.BadValue
	switch {
	case errors.As(err, &explained):
		return explained.Fault
	case errors.As(err, &bad), errors.Is(err, problem.ErrNotFound):
		return ladder.Fault{Code: "loop_not_sent", Cause: "The message could not be made: " + err.Error() + ".", Who: ladder.You, Remedy: "Correct the SMTP account, or the address of the mailbox."}
	}
	return ladder.Fault{Code: "loop_not_sent", Cause: "The message was not sent: " + err.Error() + ".", Who: ladder.You, Remedy: "Use Test configuration of the SMTP account.", Temporary: true}
}

// sendLoop goes the way of all mail: the account's rules, its route, one delivery.
func (s *Service) sendLoop(ctx context.Context, test outgoing) (submit.Result, error) {
	sender, err := s.accounts.FindSMTP(ctx, test.SMTP)
	if err != nil {
		return submit.Result{}, err
	}
	if test.Address == "" {
		mailbox, err := s.accounts.FindMailbox(ctx, test.Mailbox)
		if err != nil {
			return submit.Result{}, err
		}
		test.Address = s.addressOf(ctx, mailbox)
	}
	message := account.Compose(sender.SMTPSettings, account.Content{To: []string{test.Address}, Subject: loopSubject, Text: loopText}, "")
	message.Date = s.now()
	message.Headers = []submit.Header{{Name: loopHeader, Value: test.Nonce}}
	_, domain, _ := strings.Cut(sender.SenderEmail, "@")
	message.MessageID = "loop." + test.Nonce + "@" + domain
	raw, _, err := submit.Render(message)
	if err != nil {
		return submit.Result{}, err
	}
	head, _, _ := strings.Cut(string(raw), "\r\n\r\n")
	if err := updateLoopHeader(ctx, s.pool, test.ID, head, test.Address); err != nil {
		return submit.Result{}, err
	}
	ctx = credential.WithReason(ctx, "loop test of SMTP account "+sender.AccountName)
	route, err := s.accounts.Route(ctx, account.SMTPChange{SMTPSettings: sender.SMTPSettings})
	if err != nil {
		return submit.Result{}, err
	}
	return submit.Deliver(ctx, route.Dialer, route.Server, message, nil)
}

// followLoop looks for the message until it has arrived or is given up. A mailbox that notices mail by itself is only
// searched for unwanted mail.
func (s *Service) followLoop(ctx context.Context, test outgoing) {
	nextJunk := time.Now().Add(s.times.junk)
	for pause(ctx, s.times.follow) {
		found, err := selectLoop(ctx, s.pool, test.ID)
		if err != nil || found.State != LoopWaiting {
			return
		}
		health, err := s.Health(ctx, []int64{test.Mailbox})
		if err != nil {
			continue
		}
		if h := health[test.Mailbox]; h.State != Failing && (h.State != Watching || !h.Idle) {
			_, _ = s.CheckNow(ctx, test.Mailbox) // what is wrong with it is in its health
		}
		if time.Now().After(nextJunk) {
			if err := s.searchJunk(ctx, test); err != nil && ctx.Err() == nil {
				s.log.DebugContext(ctx, "look for a loop test among unwanted mail", "test", test.ID, "error", err)
			}
			nextJunk = time.Now().Add(s.times.junk)
		}
	}
}
