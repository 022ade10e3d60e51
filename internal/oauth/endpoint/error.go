package endpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Error is a request that gave no token. Without a Code the server did not answer as a token endpoint does.
type Error struct {
	Status      int           // 0: no answer at all
	Code        string        // RFC 6749 5.2, e.g. "invalid_grant"
	Description string        // the provider's own words
	RetryAfter  time.Duration // 0: the server named no time
	Err         error         // what went wrong below, without addresses' queries
}

func (e *Error) Error() string {
	switch {
	case e.Code != "" && e.Description != "":
		return fmt.Sprintf("the token endpoint answered %s: %s", e.Code, e.Description)
	case e.Code != "":
		return "the token endpoint answered " + e.Code
	case e.Err != nil && e.Status != 0:
		return fmt.Sprintf("the token endpoint answered with status %d: %v", e.Status, e.Err)
	case e.Err != nil:
		return fmt.Sprintf("ask the token endpoint: %v", e.Err)
	}
	return fmt.Sprintf("the token endpoint answered with status %d", e.Status)
}

func (e *Error) Unwrap() error { return e.Err }

// Temporary reports whether the same request may succeed later.
func (e *Error) Temporary() bool {
	switch e.Code {
	case "temporarily_unavailable", "server_error":
		return true
	case "":
		return !errors.Is(e.Err, errRequest)
	}
	return e.Status == http.StatusTooManyRequests || e.Status >= 500
}

// errRequest marks requests that could not even be made, because of what was configured.
var errRequest = errors.New("the request cannot be made")

// refusal reads an error answer; the body may be anything, a load balancer's page for one.
func refusal(answer *http.Response, body []byte) *Error {
	var said struct {
		Error       json.RawMessage `json:"error"`
		Description string          `json:"error_description"`
	}
	e := &Error{Status: answer.StatusCode, RetryAfter: retryAfter(answer.Header.Get("Retry-After"), time.Now())}
	if json.Unmarshal(body, &said) != nil {
		return e
	}
	if json.Unmarshal(said.Error, &e.Code) == nil {
		e.Description = said.Description
	}
	return e
}

// retryAfter reads both forms of the header (RFC 9110 10.2.3); more than a day is not believed.
func retryAfter(header string, now time.Time) time.Duration {
	const most = 24 * time.Hour
	wait := time.Duration(0)
	if n, err := strconv.Atoi(strings.TrimSpace(header)); err == nil {
		wait = time.Duration(min(n, int(most.Seconds()))) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), most)
}

// scrub takes the address out of an HTTP error: its query may hold a code or a token.
func scrub(err error) error {
	var wrapped *url.Error
	if !errors.As(err, &wrapped) {
		return err
	}
	if errors.Is(wrapped.Err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %s: %w", Timeout, context.DeadlineExceeded)
	}
	if strings.EqualFold(wrapped.Op, "parse") {
		return fmt.Errorf("%w: the address is no URL", errRequest)
	}
	return wrapped.Err
}
