package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"orbit/internal/audit"
	"orbit/internal/identity"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

// call is the context of a request, under the name that makes handlers read like sentences.
type call struct{ context.Context } //nolint:containedctx // it is the request's context itself, for the length of one handler

// wrap turns a handler into huma's form and its error into an answer.
func wrap[I, O any](handler func(*call, *I) (*O, error)) func(context.Context, *I) (*O, error) {
	return func(ctx context.Context, input *I) (*O, error) {
		output, err := handler(&call{ctx}, input)
		if err != nil {
			return nil, answer(ctx, err)
		}
		return output, nil
	}
}

const roleKey = "role"

// authenticate asks for the token, and for the role that the operation names.
func (a *api) authenticate(ctx huma.Context, next func(huma.Context)) {
	bearer, found := strings.CutPrefix(ctx.Header("Authorization"), "Bearer ")
	if !found {
		ctx.SetHeader("WWW-Authenticate", `Bearer realm="Orbit"`)
		_ = huma.WriteErr(a.huma, ctx, http.StatusUnauthorized, "Send an API token: Authorization: Bearer orbit_... (Settings > API tokens).")
		return
	}
	token, err := a.Identity.FindToken(ctx.Context(), vault.NewSecret(strings.TrimSpace(bearer)))
	if errors.Is(err, problem.ErrNotFound) {
		ctx.SetHeader("WWW-Authenticate", `Bearer realm="Orbit", error="invalid_token"`)
		_ = huma.WriteErr(a.huma, ctx, http.StatusUnauthorized, "This API token is unknown, revoked or expired.")
		return
	}
	if err != nil {
		slog.ErrorContext(ctx.Context(), "look up an API token", "error", err)
		_ = huma.WriteErr(a.huma, ctx, http.StatusServiceUnavailable, "Orbit cannot check the token now; its database does not answer. Try again.")
		return
	}
	if a.Seen != nil {
		a.Seen(ctx.Context(), token.Name)
	}
	needed, _ := ctx.Operation().Metadata[roleKey].(identity.Role)
	if !covers(token.Role, needed) {
		_ = huma.WriteErr(a.huma, ctx, http.StatusForbidden, "This needs the role "+string(needed)+"; the token "+token.Name+" has "+string(token.Role)+".")
		return
	}
	actor := audit.Actor{Kind: audit.Token, ID: token.ID, Name: token.Name, Address: audit.ActorFrom(ctx.Context()).Address}
	next(huma.WithContext(ctx, audit.WithActor(ctx.Context(), actor)))
}

// covers reports whether role may do what needed may do.
func covers(role, needed identity.Role) bool {
	switch needed {
	case identity.Administrator:
		return role.CanChange()
	case identity.Operator:
		return role.CanTest()
	case identity.Auditor:
		return role.CanView()
	case identity.Member:
		return role.Valid()
	}
	return false
}

// answer is the one place where an error of a service becomes a status and a text.
func answer(ctx context.Context, err error) error {
	var (
		invalid  problem.Invalid
		conflict *problem.Conflict
		confirm  *problem.Confirm
		refused  *problem.Refused
	)
	switch {
	case errors.As(err, &invalid):
		return huma.NewError(http.StatusUnprocessableEntity, "Some values are wrong; nothing was stored.", details(invalid)...)
	case errors.Is(err, problem.ErrNotFound):
		return huma.NewError(http.StatusNotFound, "There is nothing with this id.")
	case errors.Is(err, problem.ErrForbidden):
		return huma.NewError(http.StatusForbidden, "The token's role does not allow this.")
	case errors.As(err, &conflict):
		return huma.NewError(http.StatusConflict, conflict.Error()+"; read it again and send its version.", changes(conflict)...)
	case errors.As(err, &confirm):
		return huma.NewError(http.StatusConflict, confirm.Text, &huma.ErrorDetail{
			Location: "body." + confirm.Name, Message: "Send true to accept this.",
		})
	case errors.As(err, &refused):
		return huma.NewError(http.StatusConflict, refused.Text)
	default:
		slog.ErrorContext(ctx, "API request", "error", err)
		return huma.NewError(http.StatusInternalServerError, "Orbit could not do this; the reason is in its log.")
	}
}

// withoutInput takes what was sent out of what is said about its form: huma repeats the whole body when it has an
// unknown member, and a secret may be among the others. A conflict (409) repeats fields that the service chose.
func withoutInput(_ huma.Context, _ string, answer any) (any, error) {
	model, ok := answer.(*huma.ErrorModel)
	if !ok || model.Status == http.StatusConflict {
		return answer, nil
	}
	for _, detail := range model.Errors {
		detail.Value = nil
	}
	return model, nil
}

func details(invalid problem.Invalid) []error {
	found := make([]error, len(invalid))
	for i, field := range invalid {
		location := "body"
		if field.Name != "" {
			location += "." + field.Name
		}
		found[i] = &huma.ErrorDetail{Location: location, Message: field.Text}
	}
	return found
}

func changes(conflict *problem.Conflict) []error {
	found := make([]error, len(conflict.Changed))
	for i, change := range conflict.Changed {
		found[i] = &huma.ErrorDetail{Location: "body." + change.Field, Message: "Stored now: " + change.Stored, Value: change.Yours}
	}
	return found
}

// Page is what every list takes and gives: limit rows, and where the next page begins.
type Page struct {
	Cursor string `query:"cursor" doc:"The next of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

// number is the page to read, from 1.
func (p Page) number() int {
	n, err := strconv.Atoi(p.Cursor)
	if err != nil || n < 1 {
		return 1
	}
	return n
}

// next names the page after this one, or is "" at the end.
func (p Page) next(total int) string {
	if p.number()*p.Limit >= total {
		return ""
	}
	return strconv.Itoa(p.number() + 1)
}

func notFound(w http.ResponseWriter, r *http.Request) {
	plainProblem(w, http.StatusNotFound, "There is no "+r.URL.Path+" in this API; see "+Base+"/openapi.json.")
}

func methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	plainProblem(w, http.StatusMethodNotAllowed, r.Method+" is not possible here; see "+Base+"/openapi.json.")
}
