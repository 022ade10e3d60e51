package idp

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Endpoint is where a scripted failure happens.
type Endpoint string

// The endpoints.
const (
	AtToken     Endpoint = "token"
	AtAuthorise Endpoint = "authorise"
	AtDevice    Endpoint = "device"
)

// Failure is what the provider answers instead of what was asked. Known makes the usual ones.
type Failure struct {
	At          Endpoint      // AtToken when empty
	Status      int           // 400 when zero and there is an Error
	Error       string        // "invalid_grant"; empty: only the delay, then the usual answer
	Subtype     string        // Google's error_subtype, Microsoft's suberror
	Number      int           // Microsoft's AADSTS number
	Description string        // may have {client}, {tenant}, {scope}, {redirect}, {mailbox}
	OnPage      bool          // shown to the person who signs in, who is not sent back
	RetryAfter  time.Duration // Retry-After
	Delay       time.Duration // before anything is answered
	Body        string        // instead of JSON
	Drop        bool          // the connection ends without an answer, and nothing is done
	LoseAnswer  bool          // the request is granted, and the answer is lost on its way
}

// name is what the failure is counted as.
func (f Failure) name() string {
	if f.Number != 0 {
		return "AADSTS" + strconv.Itoa(f.Number)
	}
	return f.Error
}

// Fail scripts what the endpoints answer next, one failure a request, in this order.
func (p *Provider) Fail(next ...Failure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range next {
		if f.At == "" {
			f.At = AtToken
		}
		if f.Status == 0 {
			f.Status = http.StatusBadRequest
		}
		p.failures[f.At] = append(p.failures[f.At], f)
	}
}

// Recover forgets the failures that were scripted and did not happen.
func (p *Provider) Recover() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.failures)
}

// Scripted returns how many failures are still to come.
func (p *Provider) Scripted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, list := range p.failures {
		n += len(list)
	}
	return n
}

func (p *Provider) nextFailure(at Endpoint) (Failure, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.failures[at]
	if len(list) == 0 {
		return Failure{}, false
	}
	p.failures[at] = list[1:]
	return list[0], true
}

// play waits as a failure says and answers it. It reports false when the usual answer follows.
func (p *Provider) play(w http.ResponseWriter, r *http.Request, f Failure) bool {
	if f.Delay > 0 {
		timer := time.NewTimer(f.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return true
		}
	}
	if f.Drop {
		panic(http.ErrAbortHandler) // net/http closes the connection
	}
	if f.Error == "" && f.Body == "" {
		return false
	}
	p.answerFailure(w, r, f)
	return true
}

// Known is a failure in the provider's words, by its name in the error dictionary: "AADSTS7000222", or
// "invalid_grant" for Google and the RFCs. An unknown AADSTS number gets a text of its own.
func Known(name string) Failure {
	if f, ok := catalogue[name]; ok {
		return f
	}
	if digits, ok := strings.CutPrefix(name, "AADSTS"); ok {
		number, _ := strconv.Atoi(digits)
		return Failure{At: AtToken, Status: http.StatusBadRequest, Error: "invalid_grant", Number: number, Description: "The request was refused."}
	}
	return Failure{At: AtToken, Status: http.StatusBadRequest, Error: name}
}

// Names are the failures that Known has words for, in order.
func Names() []string {
	names := make([]string, 0, len(catalogue))
	for name := range catalogue {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { // Microsoft's by number, then the others
		x, y := catalogue[a].Number, catalogue[b].Number
		return cmp.Or(cmp.Compare(min(y, 1), min(x, 1)), cmp.Compare(x, y), cmp.Compare(a, b))
	})
	return names
}
