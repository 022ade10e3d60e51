package inbox

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"orbit/internal/account"
	"orbit/internal/mail/ladder"
	"orbit/internal/problem"
)

// fault says for people why a visit ended early.
func fault(err error, m account.Mailbox) *ladder.Fault {
	var explained *ladder.Error
	var refused *problem.Refused
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errLost):
		return &ladder.Fault{
			Code: "inbox_taken_over", Cause: "Another Orbit process reads this mailbox by now.", Who: ladder.Nobody,
			Remedy: "Nothing is to be done. When this comes again and again, look whether the machine of a process is overloaded or its clock stands still.", Temporary: true,
		}
	case errors.As(err, &explained):
		return &explained.Fault
	case errors.As(err, &refused):
		return &ladder.Fault{Code: "inbox_refused", Cause: refused.Text, Who: ladder.You, Remedy: "Correct the account " + m.AccountName + ", or what it names."}
	case errors.Is(err, context.Canceled):
		return &ladder.Fault{Code: "inbox_stopped", Cause: "The check was interrupted because Orbit stopped, or the account was changed.", Who: ladder.Nobody, Remedy: "Check again.", Temporary: true}
	}
	return &ladder.Fault{
		Code: "inbox_not_stored", Cause: "Orbit could not store what it read: its database refused or did not answer.", Who: ladder.You,
		Remedy: "Look into Orbit's log for the reason, and whether the database has room. No message is lost: they are still on the server.", Temporary: true,
	}
}

// How long to leave a mailbox alone after a failure. A provider locks an account at which a wrong password is tried
// again and again.
const (
	firstPause      = 30 * time.Second
	longestPause    = 15 * time.Minute
	firstRefusal    = 5 * time.Minute // after a sign-in that was refused
	longestRefusal  = time.Hour
	longestOwnFault = 2 * time.Minute // where nobody was bothered: no token, no database
)

// backOff returns how long to wait after so many failures in a row.
func backOff(err error, failures int) time.Duration {
	first, longest := firstPause, longestPause
	var explained *ladder.Error
	switch {
	case !errors.As(err, &explained) || explained.Step == ladder.Token:
		longest = longestOwnFault
	case explained.Fault.Throttled || explained.Step == ladder.Auth && !explained.Fault.Temporary:
		first, longest = firstRefusal, longestRefusal
	}
	d := first << min(failures-1, 12)
	return jitter(min(d, longest))
}

// jitter keeps accounts that failed together from coming back together.
func jitter(d time.Duration) time.Duration {
	return d - d/5 + rand.N(2*d/5+1)
}
