// Package api is what programs can do with Orbit: the same services as the pages, as JSON under /api/v1.
//
// A program sends "Authorization: Bearer orbit_..." with a token from Settings > API tokens. Every operation
// names the role it needs; errors are problem+json (RFC 9457), all problems of an input at once, with the
// field in "location". The description is at /api/v1/openapi.json.
package api

import (
	"context"
	"net/http"
	"path"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"

	"orbit/internal/account"
	"orbit/internal/approval"
	"orbit/internal/connector"
	"orbit/internal/credential"
	"orbit/internal/identity"
	"orbit/internal/inbox"
	"orbit/internal/notify"
	"orbit/internal/oauth"
	"orbit/internal/proxyhost"
)

// Base is where the API lives.
const Base = "/api/v1"

// maxBody bounds a request; the largest field is a certificate authority of 64 KB.
const maxBody = 1 << 20

// Options are the services that the API offers.
type Options struct {
	Accounts    *account.Service
	Approvals   *approval.Service
	Agents      *connector.Agents // of network connectors; nil: no operations about them
	Connectors  *connector.Service
	Credentials *credential.Service
	Identity    *identity.Service
	OAuth       *oauth.Service
	Proxies     *proxyhost.Service
	Inbox       *inbox.Service
	Notify      *notify.Service
	Version     string
	Host        string // under which others know Orbit
	// Seen hears which token a request was made with, for the log of requests. nil: nobody listens.
	Seen func(ctx context.Context, token string)
}

// api carries the services to the operations.
type api struct {
	Options
	huma huma.API
}

// Mount adds every operation to router, which must serve Base.
func Mount(router chi.Router, o Options) {
	config := huma.DefaultConfig("Orbit", o.Version)
	config.OpenAPIPath = "/openapi"
	config.DocsPath, config.SchemasPath = "", "" // the documentation page loads from other hosts
	config.CreateHooks = nil                     // no $schema member in answers
	config.Transformers = append(config.Transformers, withoutInput)
	config.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	config.Servers = []*huma.Server{{URL: Base}}
	config.Info.Description = "Notification mail centre: SMTP and IMAP/POP3 accounts, credentials, tests."
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", Description: "Made under Settings > API tokens or by orbit token create"},
	}
	a := &api{Options: o, huma: humachi.New(router, config)}
	a.huma.UseMiddleware(notStored, a.authenticate, patient)
	a.smtpAccounts()
	a.mailboxAccounts()
	a.messages()
	a.notifications()
	a.credentials()
	a.networkConnectors()
	a.connectorAgents()
	a.oauthClients()
	a.proxyListeners()
	a.proxyLog()
	a.accessRequests()
	router.NotFound(notFound)
	router.MethodNotAllowed(methodNotAllowed)
}

// notStored keeps what a token may read out of caches on the way.
func notStored(ctx huma.Context, next func(huma.Context)) {
	ctx.SetHeader("Cache-Control", "no-store")
	next(ctx)
}

// schemaName puts the feature in front: two of them may have a word for different things, such as connector.Visit and
// inbox.Visit.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	feature := path.Base(t.PkgPath())
	if t.Name() == "" || !strings.HasPrefix(t.PkgPath(), "orbit/internal/") || strings.HasPrefix(strings.ToLower(name), feature) {
		return name
	}
	return strings.ToUpper(feature[:1]) + feature[1:] + name
}

// patient lifts the deadlines of the server from tests, checks and whole messages: a mail server may take minutes for
// its answer, and the program that asked shall read which one did.
func patient(ctx huma.Context, next func(huma.Context)) {
	if slow.MatchString(ctx.Operation().Path) {
		_, w := humachi.Unwrap(ctx)
		control := http.NewResponseController(w)
		_ = control.SetReadDeadline(time.Time{}) // what cannot be lifted is a server without deadlines
		_ = control.SetWriteDeadline(time.Time{})
	}
	next(ctx)
}

var slow = regexp.MustCompile("/(test|check|raw|parts/{part}|compare-paths)$")

// operation is the part that operations have in common.
type operation struct {
	id, method, path, summary, tag string
	role                           identity.Role // the least that may do it
	status                         int           // of success; 0: 200
}

func register[I, O any](a *api, o operation, handler func(*call, *I) (*O, error)) {
	huma.Register(a.huma, o.describe(), wrap(handler))
}

// describe is the operation as its description shows it.
func (o operation) describe() huma.Operation {
	return huma.Operation{
		OperationID: o.id, Method: o.method, Path: o.path, Summary: o.summary, Tags: []string{o.tag},
		Description:   "Needs the role " + string(o.role) + " or a stronger one.",
		DefaultStatus: o.status, MaxBodyBytes: maxBody,
		Security: []map[string][]string{{"token": {}}},
		Metadata: map[string]any{roleKey: o.role},
		Errors:   []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity},
	}
}
