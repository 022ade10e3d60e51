package idp

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// reason is why a request is refused, as the entry of the catalogue in each flavour.
type reason struct{ microsoft, google string }

// The reasons that the provider has by itself. The catalogue has more, which tests and the page script.
var (
	unknownTenant    = reason{"AADSTS90002", "invalid_client"}
	unknownClient    = reason{"AADSTS700016", "invalid_client"}
	wrongSecret      = reason{"AADSTS7000215", "invalid_client"}
	expiredSecret    = reason{"AADSTS7000222", "invalid_client"}
	noSecret         = reason{"AADSTS7000218", "invalid_client"}
	publicWithSecret = reason{"AADSTS700025", "invalid_client"}
	badAssertion     = reason{"AADSTS700027", "invalid_client"}
	assertionTime    = reason{"AADSTS700024", "invalid_jwt_time"}
	wrongRedirect    = reason{"AADSTS50011", "redirect_uri_mismatch"}
	otherRedirect    = reason{"AADSTS500112", "redirect_uri_mismatch"}
	noChallenge      = reason{"AADSTS9002325", "invalid_request"}
	wrongVerifier    = reason{"AADSTS501481", "invalid_code"}
	usedCode         = reason{"AADSTS54005", "invalid_code"}
	expiredCode      = reason{"AADSTS70008", "invalid_code"}
	noScope          = reason{"AADSTS900144", "invalid_scope"}
	unknownScope     = reason{"AADSTS70011", "invalid_scope"}
	notDefaultScope  = reason{"AADSTS1002012", "invalid_scope"}
	unknownResource  = reason{"AADSTS500011", "invalid_scope"}
	unknownRefresh   = reason{"AADSTS70000", "invalid_grant"}
	reusedRefresh    = reason{"AADSTS70000", "invalid_grant"}
	idleGrant        = reason{"AADSTS700082", "invalid_grant"}
	revoked          = reason{"AADSTS50173", "invalid_grant"}
	wrongPassword    = reason{"AADSTS50126", "invalid_grant"}
	unknownUser      = reason{"AADSTS50034", "invalid_email"}
	blockedUser      = reason{"AADSTS50057", "invalid_grant"}
	declined         = reason{"AADSTS65004", "access_denied"}
	unknownGrant     = reason{"AADSTS70003", "unsupported_grant_type"}
	malformed        = reason{"AADSTS9002313", "invalid_request"}
	badSignature     = reason{"invalid_jwt_signature", "invalid_jwt_signature"}
	badTimes         = reason{"invalid_jwt_time", "invalid_jwt_time"}
	noSuchEmail      = reason{"invalid_email", "invalid_email"}
	notDelegated     = reason{"unauthorized_client", "unauthorized_client"}
	pending          = reason{"AADSTS70016", "authorization_pending"}
	tooFast          = reason{"slow_down", "slow_down"}
	deviceOver       = reason{"AADSTS70020", "expired_token"}
	deviceDeclined   = reason{"authorization_declined", "access_denied"}
)

// refusal is a request that is refused, with the words for the blanks of its text.
type refusal struct {
	reason reason
	words  []string // name, value, name, value
}

func (r *refusal) Error() string { return r.reason.microsoft }

func refuse(why reason, words ...string) error { return &refusal{why, words} }

// answerRefusal says no as the provider's token endpoint does.
func (p *Provider) answerRefusal(w http.ResponseWriter, r *http.Request, err error) {
	var no *refusal
	if !errors.As(err, &no) {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	p.answerFailure(w, r, Known(p.prefix(no.reason.microsoft, no.reason.google)), no.words...)
}

// answerFailure writes the JSON of a failure.
func (p *Provider) answerFailure(w http.ResponseWriter, r *http.Request, f Failure, words ...string) {
	p.count(func(s *Stats) { s.Refused[f.name()]++ })
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(f.RetryAfter.Seconds())))
	}
	if f.Body != "" {
		w.WriteHeader(f.Status)
		_, _ = w.Write([]byte(f.Body))
		return
	}
	text := p.fill(f.Description, r, words)
	if f.Number == 0 {
		answer := map[string]any{"error": f.Error}
		if text != "" {
			answer["error_description"] = text
		}
		if f.Subtype != "" {
			answer["error_subtype"] = f.Subtype
		}
		answerJSON(w, f.Status, answer)
		return
	}
	trace, correlation, now := guid(), guid(), time.Now().UTC().Format("2006-01-02 15:04:05Z")
	answer := map[string]any{
		"error": f.Error, "error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", f.Number, text, trace, correlation, now),
		"error_codes": []int{f.Number}, "timestamp": now, "trace_id": trace, "correlation_id": correlation,
		"error_uri": fmt.Sprintf("https://login.microsoftonline.com/error?code=%d", f.Number),
	}
	if f.Subtype != "" {
		answer["suberror"] = f.Subtype
	}
	answerJSON(w, f.Status, answer)
}

// describe is a failure in one line, for redirects and pages.
func (p *Provider) describe(f Failure, r *http.Request, words ...string) string {
	text := p.fill(f.Description, r, words)
	if f.Number == 0 {
		return text
	}
	return fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s",
		f.Number, text, guid(), guid(), time.Now().UTC().Format("2006-01-02 15:04:05Z"))
}

// fill puts the words of a request into a text.
func (p *Provider) fill(text string, r *http.Request, words []string) string {
	client := r.FormValue("client_id")
	p.mu.Lock()
	app := p.clients[client].Name
	p.mu.Unlock()
	defaults := []string{
		"client", client, "app", app, "tenant", Tenant, "scope", r.FormValue("scope"), "redirect", r.FormValue("redirect_uri"),
		"mailbox", r.FormValue("username"), "resource", "00000002-0000-0ff1-ce00-000000000000", "thumbprint", "", "grant", r.FormValue("grant_type"),
		"issued", time.Now().Add(-90 * 24 * time.Hour).UTC().Format("2006-01-02T15:04:05.0000000Z"), "now", time.Now().UTC().Format("2006-01-02T15:04:05.0000000Z"),
	}
	pairs := append(append([]string{}, words...), defaults...) // the first of two wins
	for i := 0; i < len(pairs); i += 2 {
		pairs[i] = "{" + pairs[i] + "}"
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// guid is an identifier in Microsoft's form.
func guid() string {
	const hex = "0123456789abcdef"
	name := newName() + newName()
	var out strings.Builder
	for i := range 32 {
		if i == 8 || i == 12 || i == 16 || i == 20 {
			out.WriteByte('-')
		}
		out.WriteByte(hex[name[i]%16])
	}
	return out.String()
}
