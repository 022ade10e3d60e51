package notify

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"orbit/internal/mail/ladder"
	"orbit/internal/mail/submit"
)

// outcome is what an attempt means for the message.
type outcome struct {
	Outcome Outcome
	State   State
	Waiting bool           // it is tried again
	After   *time.Duration // when
	Counts  int            // 1: an attempt of the message, 0: the account's trouble
	Doubts  int
	Step    string
	Reply   string
	Fault   *ladder.Fault
}

// doubtRest is the pause before a message is sent again whose fate is not known.
const doubtRest = time.Minute

// processDied explains an attempt that a process did not live to record.
var processDied = &ladder.Fault{
	Code: "process_died", Who: ladder.Nobody, Temporary: true,
	Cause:  "Orbit was stopped or lost its database during this attempt. Whether the server took the message is not known.",
	Remedy: "Nothing: it is sent again with the same Message-ID, so that mail programs recognise a second copy.",
}

// judge says what an attempt means.
func judge(it *item, result submit.Result, err error, now time.Time) outcome {
	if err == nil {
		return outcome{Outcome: AttemptSent, State: Sent, Counts: 1, Step: string(ladder.Reply), Reply: result.Reply}
	}
	o := outcome{State: Retrying, Waiting: true}
	o.explain(err)
	var uncertain *submit.Uncertain
	var bad *submit.BadValue
	switch {
	case errors.As(err, &uncertain):
		return o.doubtful(it)
	case errors.As(err, &bad), permanent(err):
		o.Outcome, o.State, o.Waiting, o.Counts = AttemptFailed, Failed, false, 1
		return o
	case throttled(err):
		o.Outcome, o.After = AttemptThrottled, new(time.Duration)
		return o
	case accountTrouble(err):
		o.Outcome, o.After = AttemptAccount, new(time.Duration)
		return o
	}
	return o.later(it, now)
}

// explain keeps what a person needs to know.
func (o *outcome) explain(err error) {
	var e *ladder.Error
	var bad *submit.BadValue
	switch {
	case errors.As(err, &e):
		o.Step, o.Fault, o.Reply = string(e.Step), &e.Fault, e.Fault.Reply
	case errors.As(err, &bad):
		o.Fault = &ladder.Fault{Code: "bad_value", Cause: bad.Text, Who: ladder.You, Remedy: "Correct the field " + bad.Field + " and send the notification again."}
	default:
		o.Fault = &ladder.Fault{Code: "internal", Cause: "Orbit could not prepare the message.", Who: ladder.Nobody, Temporary: true,
			Remedy: "It is tried again. The log of Orbit has the error."}
	}
}

// doubtful is for a connection that was lost after the whole message was sent: it is sent again, once.
func (o outcome) doubtful(it *item) outcome {
	o.Outcome, o.State, o.Counts, o.Doubts = AttemptUncertain, Uncertain, 1, 1
	o.Waiting = it.Doubts == 0
	rest := doubtRest
	o.After = &rest
	return o
}

// later plans the next attempt, if there is to be one.
func (o outcome) later(it *item, now time.Time) outcome {
	rest := retryAfter(it.Attempts + 1)
	o.Outcome, o.Counts, o.After = AttemptRetry, 1, &rest
	end := it.ExpiresAt
	if now.Add(rest).Before(end) {
		return o
	}
	o.Waiting, o.State = false, Failed
	if end.Before(it.GivesUpAt) {
		o.State = Expired
	}
	return o
}

// retries are the pauses after the first attempts; then one an hour (RFC 5321 4.5.4.1 advises 30 minutes or more).
var retries = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute}

// retryAfter is the pause after the n-th attempt. The hourly ones are spread, so that messages that failed together do
// not come back together.
func retryAfter(n int) time.Duration {
	if n <= len(retries) {
		return retries[max(n, 1)-1]
	}
	return time.Duration((0.8 + 0.4*rand.Float64()) * float64(time.Hour))
}

// throttled reports whether the server wants less at a time.
func throttled(err error) bool {
	var refusal *submit.Refusal
	if errors.As(err, &refusal) && (refusal.Code == 421 || refusal.Code == 432) {
		return true
	}
	var e *ladder.Error
	return errors.As(err, &e) && e.Fault.Throttled
}

// accountTrouble reports whether the visit failed before the message had its turn.
func accountTrouble(err error) bool {
	var e *ladder.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Step {
	case ladder.MailFrom, ladder.RcptTo, ladder.Data, ladder.Reply:
		return false
	default:
		return true
	}
}

// permanent reports whether the server, or what it can do, refuses this message for good.
func permanent(err error) bool {
	var e *ladder.Error
	if !errors.As(err, &e) || accountTrouble(err) || e.Fault.Throttled {
		return false
	}
	var refusal *submit.Refusal
	if errors.As(err, &refusal) {
		return refusal.Code/100 == 5
	}
	return e.Err == nil && !e.Fault.Temporary // found out before anything was sent: too large, no SMTPUTF8
}

// lostBefore reports whether the connection was lost before the server had the whole message, as it is with a kept
// one that the server has closed in the meantime.
func lostBefore(err error) bool {
	var uncertain *submit.Uncertain
	var refusal *submit.Refusal
	var e *ladder.Error
	return errors.As(err, &e) && e.Err != nil && !errors.As(err, &uncertain) && !errors.As(err, &refusal) && !errors.Is(err, context.Canceled)
}
