// Package web is Orbit for people: HTML pages over HTTP.
//
// This file lists every route with the role it needs. A handler is a paragraph: it reads the form, asks a service
// and answers; an error it returns becomes a status in respond.go and nowhere else. Pages stand in web/page,
// their parts in web/ui, forms are read by web/form.
package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/go-chi/chi/v5"

	"orbit/internal/account"
	"orbit/internal/approval"
	"orbit/internal/audit"
	"orbit/internal/connector"
	"orbit/internal/credential"
	"orbit/internal/identity"
	"orbit/internal/inbox"
	"orbit/internal/mail/provider"
	"orbit/internal/notify"
	"orbit/internal/oauth"
	"orbit/internal/proxyhost"
	"orbit/internal/setting"
	"orbit/static"
	"orbit/web/ui"
)

// Product is the name that people see.
const Product = "Orbit"

// Options are the services behind the pages.
type Options struct {
	BaseURL        *url.URL       // as browsers reach Orbit; https makes cookies secure
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	Log            *slog.Logger
	Ready          func(context.Context) error // what /readyz asks: is the database there
	Clock          func() time.Time            // default time.Now

	Identity    *identity.Service
	Accounts    *account.Service
	Approvals   *approval.Service
	Inbox       *inbox.Service
	Credentials *credential.Service
	Connectors  *connector.Service
	Agents      *connector.Agents // of network connectors; nil: no pages about them
	OAuth       *oauth.Service
	Proxies     *proxyhost.Service
	Notify      *notify.Service
	Resolver    provider.Resolver // asked for the provider of a sender's domain
	Settings    *setting.Service
	Trail       audit.Querier // the database that holds the audit trail

	Jobs      http.Handler                                   // River's own page; nil: there is none
	API       func(chi.Router)                               // mounts the JSON API under its base path
	Finders   []Finder                                       // what the search looks through besides the menu
	Attention func(context.Context) ([]ui.NoticeView, error) // what the bell says to those who may see settings
}

// Server answers requests.
type Server struct {
	Options
	sessions *identity.SessionStore
	needs    map[string]need // by path of a page: who may see it; menus ask
	handler  http.Handler
}

// New returns a server with all its routes.
func New(o Options) (*Server, error) {
	if o.BaseURL == nil || o.BaseURL.Host == "" {
		return nil, fmt.Errorf("web: the base URL %q names no host", o.BaseURL)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	s := &Server{Options: o, sessions: o.Identity.SessionStore(), needs: map[string]need{}}
	var err error
	s.handler, err = s.build()
	return s, err
}

// Handler returns the whole of Orbit's HTTP.
func (s *Server) Handler() http.Handler { return s.handler }

// routes is every page and action, top to bottom, with what it needs.
func (s *Server) routes(r *router) {
	r.get("/", signedIn, s.showHome)
	r.get("/search", signedIn, s.search)
	r.get("/settings", view, s.showSettings)

	r.get("/setup", anyone, s.withSetUp(s.showSetUp))
	r.post("/setup", anyone, s.withSetUp(s.setUp))
	r.get("/login", anyone, s.showSignIn)
	r.post("/login", anyone, s.signIn)
	r.post("/logout", anyone, s.signOut)

	r.get("/profile", signedIn, s.showProfile)
	r.post("/profile", signedIn, s.saveProfile)
	r.post("/profile/password", signedIn, s.changePassword)
	r.post("/profile/sessions/{id}/end", signedIn, s.endOwnSession)
	r.post("/profile/sign-out-everywhere", signedIn, s.signOutEverywhere)

	r.get(smtpPath, view, s.listSMTP)
	r.post(smtpPath, change, s.createSMTP)
	r.get(smtpPath+"/new", change, s.newSMTP)
	r.post(smtpPath+"/summary", view, s.smtpSummary)
	r.get(smtpPath+"/suggestion", change, s.suggestSMTP)
	r.get(smtpPath+"/test", change, s.askTestSMTPValues)
	r.post(smtpPath+"/test", change, s.testSMTPValues)
	r.get(smtpPath+"/tests/{id}", view, s.showTest(s.smtpTests()))
	r.get(smtpPath+"/tests/{id}/events", view, s.streamTest(s.smtpTests()))
	r.get(smtpPath+"/tests/{id}/transcript", view, s.downloadTranscript(s.smtpTests()))
	r.get(smtpPath+"/{id}", view, s.editSMTP)
	r.post(smtpPath+"/{id}", change, s.saveSMTP)
	r.get(smtpPath+"/{id}/test", test, s.askTestSMTP)
	r.post(smtpPath+"/{id}/test", test, s.testSMTP)
	r.get(smtpPath+"/{id}/tests", view, s.listSMTPTests)
	r.get(smtpPath+"/{id}/clone", change, s.cloneSMTP)
	r.get(smtpPath+"/{id}/default", change, s.askDefaultSMTP)
	r.post(smtpPath+"/{id}/default", change, s.confirmed(s.makeSMTPDefault))
	r.post(smtpPath+"/{id}/enable", change, s.enableSMTP)
	r.post(smtpPath+"/{id}/disable", change, s.disableSMTP)
	r.get(smtpPath+"/{id}/delete", change, s.askDeleteSMTP)
	r.post(smtpPath+"/{id}/delete", change, s.deleteSMTP)

	s.mailboxRoutes(r)
	s.proxyRoutes(r)
	s.approvalRoutes(r)
	s.notifyRoutes(r)
	s.jobsRoutes(r)

	r.get(credentialsPath, view, s.listCredentials)
	r.post(credentialsPath, change, s.createCredential)
	r.get(credentialsPath+"/new", change, s.newCredential)
	r.get(credentialsPath+"/{id}", view, s.editCredential)
	r.post(credentialsPath+"/{id}", change, s.saveCredential)
	r.get(credentialsPath+"/{id}/secret", change, s.askCredentialSecret)
	r.post(credentialsPath+"/{id}/secret", change, s.replaceCredentialSecret)
	r.get(credentialsPath+"/{id}/delete", change, s.askDeleteCredential)
	r.post(credentialsPath+"/{id}/delete", change, s.confirmed(s.deleteCredential))

	s.connectorRoutes(r)
	s.agentRoutes(r)

	r.get(applicationPath, view, s.editApplication)
	r.post(applicationPath, change, s.saveApplication)
	r.post(applicationPath+"/summary", view, s.applicationSummary)

	r.get("/settings/users", view, s.listUsers)
	r.post("/settings/users", change, s.createUser)
	r.get("/settings/users/new", change, s.newUser)
	r.get("/settings/users/{id}", view, s.editUser)
	r.post("/settings/users/{id}", change, s.saveUser)
	r.get("/settings/users/{id}/password", change, s.askUserPassword)
	r.post("/settings/users/{id}/password", change, s.setUserPassword)
	r.post("/settings/users/{id}/sign-out", change, s.confirmed(s.signOutUser))
	r.post("/settings/users/{id}/enable", change, s.confirmed(s.enableUser))
	r.post("/settings/users/{id}/invite", change, s.confirmed(s.inviteUser))
	r.get("/settings/users/{id}/disable", change, s.askDisableUser)
	r.post("/settings/users/{id}/disable", change, s.confirmed(s.disableUser))
	r.get("/settings/users/{id}/delete", change, s.askDeleteUser)
	r.post("/settings/users/{id}/delete", change, s.confirmed(s.deleteUser))

	r.get("/settings/api-tokens", view, s.listTokens)
	r.post("/settings/api-tokens", change, s.createToken)
	r.get("/settings/api-tokens/new", change, s.newToken)
	r.get("/settings/api-tokens/{id}/revoke", change, s.askRevokeToken)
	r.post("/settings/api-tokens/{id}/revoke", change, s.confirmed(s.revokeToken))

	r.get("/settings/audit", view, s.listAudit)
	r.get("/settings/audit/verify", view, s.verifyAudit)
}

// mailboxRoutes are those of IMAP/POP3 accounts and of what was received.
func (s *Server) mailboxRoutes(r *router) {
	tests := s.mailboxTests()
	r.get(mailboxPath, view, s.listMailboxes)
	r.post(mailboxPath, change, s.createMailbox)
	r.get(mailboxPath+"/new", change, s.newMailbox)
	r.post(mailboxPath+"/summary", view, s.mailboxSummary)
	r.get(mailboxPath+"/suggestion", change, s.suggestMailbox)
	r.get(mailboxPath+"/test", change, s.askTestMailboxValues)
	r.post(mailboxPath+"/test", change, s.testMailboxValues)
	r.get(mailboxPath+"/tests/{id}", view, s.showTest(tests))
	r.get(mailboxPath+"/tests/{id}/events", view, s.streamTest(tests))
	r.get(mailboxPath+"/tests/{id}/transcript", view, s.downloadTranscript(tests))
	r.get(mailboxPath+"/{id}", view, s.editMailbox)
	r.post(mailboxPath+"/{id}", change, s.saveMailbox)
	r.get(mailboxPath+"/{id}/test", test, s.askTestMailbox)
	r.post(mailboxPath+"/{id}/test", test, s.testMailbox)
	r.get(mailboxPath+"/{id}/tests", view, s.listMailboxTests)
	r.get(mailboxPath+"/{id}/check", test, s.askCheck)
	r.post(mailboxPath+"/{id}/check", test, s.check)
	r.get(mailboxPath+"/{id}/clone", change, s.cloneMailbox)
	r.post(mailboxPath+"/{id}/enable", change, s.setMailboxActive(true, " is enabled."))
	r.post(mailboxPath+"/{id}/disable", change, s.setMailboxActive(false, " is disabled: nothing is read from it."))
	r.get(mailboxPath+"/{id}/delete", change, s.askDeleteMailbox)
	r.post(mailboxPath+"/{id}/delete", change, s.deleteMailbox)

	r.get(mailboxPath+"/{id}/inbox", view, s.viewInbox)
	r.get(mailboxPath+"/{id}/inbox/news", view, s.streamNews)
	r.get(mailboxPath+"/messages/{id}", view, s.showMessage)
	r.get(mailboxPath+"/messages/{id}/html", view, s.showMessageHTML)
	r.get(mailboxPath+"/messages/{id}/source", view, s.showMessageSource)
	r.get(mailboxPath+"/messages/{id}/raw", view, s.downloadMessage)
	r.get(mailboxPath+"/messages/{id}/parts/{part}", view, s.downloadPart)
	r.post(mailboxPath+"/messages/{id}/act", change, s.actUponMessage)

	r.get(mailboxPath+"/{id}/loop", view, s.showLoop)
	r.post(mailboxPath+"/{id}/loop", test, s.startLoop)
	r.get(mailboxPath+"/{id}/loop/events", view, s.streamLoop)
	r.post(mailboxPath+"/{id}/loop/schedule", change, s.repeatLoop)
}

// approvalRoutes are those of access requests: for approvers, and for who sets up who approves.
func (s *Server) approvalRoutes(r *router) {
	r.get(approvalsPath, signedIn, s.listApprovals)
	r.get(approvalsPath+"/{id}", signedIn, s.showApproval)
	r.post(approvalsPath+"/{id}/decide", signedIn, s.decideApproval)
	r.get(approvalsPath+"/{id}/revoke", signedIn, s.askRevokeApproval)
	r.post(approvalsPath+"/{id}/revoke", signedIn, s.revokeApproval)
	r.get(decidePath+"/{token}", anyone, s.showDecide)
	r.post(decidePath+"/{token}", anyone, s.decideByLink)
	r.get(invitationPath+"/{token}", anyone, s.showInvitation)
	r.post(invitationPath+"/{token}", anyone, s.acceptInvitation)

	r.get(groupsPath, view, s.listApproverGroups)
	r.post(groupsPath, change, s.confirmed(s.createApproverGroup))
	r.get(groupsPath+"/new", change, s.newApproverGroup)
	r.get(deputiesPath, view, s.listDeputies)
	r.post(deputiesPath, change, s.addDeputy)
	r.post(deputiesPath+"/{id}/remove", change, s.removeDeputy)
	r.get(groupsPath+"/{id}", view, s.editApproverGroup)
	r.post(groupsPath+"/{id}", change, s.confirmed(s.saveApproverGroup))
	r.get(groupsPath+"/{id}/delete", change, s.askDeleteApproverGroup)
	r.post(groupsPath+"/{id}/delete", change, s.confirmed(s.deleteApproverGroup))
}

// proxyRoutes are those of the Email OAuth 2.0 proxy.
func (s *Server) proxyRoutes(r *router) {
	r.get(authorizePath, anyone, s.completeAuthorisation)
	r.get(authorizePath+"start/{id}", anyone, s.startAuthorisation)

	r.get(proxyPath, view, s.listRegistrations)
	r.post(proxyPath, change, s.createRegistration)
	r.get(proxyPath+"/new", change, s.newRegistration)
	r.post(proxyPath+"/summary", view, s.summariseRegistration)
	r.get(proxyPath+"/authorise", change, s.askAuthorise)
	r.post(proxyPath+"/authorise", change, s.authorise)
	r.get(proxyPath+"/device", change, s.showDevice)
	r.get(proxyPath+"/device/events", change, s.streamDevice)
	r.get(proxyPath+"/paste", change, s.showPaste)
	r.post(proxyPath+"/paste", change, s.createPasted)
	r.post(proxyPath+"/paste/preview", change, s.previewPaste)
	r.get(proxyPath+"/export", change, s.exportProxy)
	r.get(proxyPath+"/log", view, s.showProxyLog)
	r.get(proxyPath+"/log/events", view, s.streamProxyLog)

	r.get(proxyPath+"/grants", view, s.listGrants)
	r.get(proxyPath+"/grants/try", test, s.askTryGrant)
	r.post(proxyPath+"/grants/try", test, s.tryGrant)
	r.get(proxyPath+"/grants/{id}/error", view, s.showGrantError)
	r.get(proxyPath+"/grants/{id}/revoke", change, s.askRevokeGrant)
	r.post(proxyPath+"/grants/{id}/revoke", change, s.confirmed(s.revokeGrant))

	r.get(proxyPath+"/listeners", view, s.listListeners)
	r.post(proxyPath+"/listeners", change, s.createListener)
	r.get(proxyPath+"/listeners/new", change, s.newListener)
	r.post(proxyPath+"/listeners/start", change, s.wantAll(s.Proxies.Start, "started"))
	r.get(proxyPath+"/listeners/stop", change, s.askAll("Stop all listeners?", "Their ports are closed at once and their sessions end. Accounts that use them fail until you start them again.", "Stop all"))
	r.post(proxyPath+"/listeners/stop", change, s.wantAll(s.Proxies.Stop, "stopped"))
	r.get(proxyPath+"/listeners/restart", change, s.askAll("Restart all listeners?", "Their ports are closed for a moment and their sessions end. Mail programs connect again by themselves.", "Restart all"))
	r.post(proxyPath+"/listeners/restart", change, s.wantAll(s.Proxies.Restart, "restarted"))
	r.get(proxyPath+"/listeners/{id}", view, s.editListener)
	r.post(proxyPath+"/listeners/{id}", change, s.saveListener)
	r.get(proxyPath+"/listeners/{id}/test", test, s.askTestListener)
	r.post(proxyPath+"/listeners/{id}/test", test, s.testListener)
	r.get(proxyPath+"/listeners/{id}/test/events", test, s.streamListenerTest)
	r.post(proxyPath+"/listeners/{id}/start", change, s.want(s.Proxies.Start, "started"))
	r.post(proxyPath+"/listeners/{id}/stop", change, s.want(s.Proxies.Stop, "stopped"))
	r.post(proxyPath+"/listeners/{id}/restart", change, s.want(s.Proxies.Restart, "restarted"))
	r.get(proxyPath+"/listeners/{id}/delete", change, s.askDeleteListener)
	r.post(proxyPath+"/listeners/{id}/delete", change, s.deleteListener)

	r.get(proxyPath+"/{id}", view, s.editRegistration)
	r.post(proxyPath+"/{id}", change, s.saveRegistration)
	r.get(proxyPath+"/{id}/steps", view, s.showSteps)
	r.get(proxyPath+"/{id}/authorise", change, s.askAuthoriseWith)
	r.get(proxyPath+"/{id}/test", test, s.askTestRegistration)
	r.post(proxyPath+"/{id}/test", test, s.testRegistration)
	r.get(proxyPath+"/{id}/secret", view, s.showSecret)
	r.post(proxyPath+"/{id}/secret", change, s.addSecret)
	r.post(proxyPath+"/{id}/secret/prove", change, s.proveSecret)
	r.post(proxyPath+"/{id}/secret/switch", change, s.confirmed(s.switchSecret))
	r.post(proxyPath+"/{id}/secret/remove", change, s.confirmed(s.removeSecret))
	r.get(proxyPath+"/{id}/remove", change, s.askRemoveRegistration)
	r.post(proxyPath+"/{id}/remove", change, s.confirmed(s.removeRegistration))
}

// build puts the doors before the routes: the outermost first.
func (s *Server) build() (http.Handler, error) {
	crossOrigin, err := s.crossOriginProtection()
	if err != nil {
		return nil, err
	}
	mux := chi.NewRouter()
	mux.Use(s.identify, s.clientAddress(), s.accessLog, s.recovered, securityHeaders(s.secure()), limitBody)
	mux.Handle(static.Prefix+"*", static.Handler())
	mux.Get("/favicon.ico", http.RedirectHandler(static.URL("favicon.svg"), http.StatusFound).ServeHTTP) // asked for without being named
	mux.Get("/healthz", s.healthy)
	mux.Get("/readyz", s.ready)
	if s.API != nil {
		mux.Group(func(programs chi.Router) {
			programs.Use(compressedReads, crossOrigin, addressed)
			s.API(programs)
		})
	}
	mux.Group(func(pages chi.Router) {
		pages.Use(compressed, crossOrigin, s.withSession)
		s.routes(&router{mux: pages, server: s})
	})
	mux.NotFound(s.withSession(s.adapt(anyone, s.notFound)).ServeHTTP)
	mux.MethodNotAllowed(s.withSession(s.adapt(anyone, s.methodNotAllowed)).ServeHTTP)
	return mux, nil
}
