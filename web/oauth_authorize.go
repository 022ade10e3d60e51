package web

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/go-chi/chi/v5"

	"orbit/internal/identity"
	"orbit/internal/mail/provider"
	"orbit/internal/oauth"
	"orbit/internal/problem"
	"orbit/web/page"
	"orbit/web/ui"
)

const (
	authorizePath = oauth.RedirectPath // /email-oauth2-proxy-authorize/
	signInMinutes = 10                 // how long a visit to the provider may take

	// landingHelp says whom to ask: whoever lands here may never have seen Orbit.
	landingHelp = "Questions? Ask whoever sent you the link, or the administrator of Orbit."
)

// completeAuthorisation is where the provider sends people back to. Only a GET with a state that this browser began
// does anything, and only once; whoever looks at the address (a link scanner's HEAD, a prefetch) changes nothing.
func (s *Server) completeAuthorisation(w http.ResponseWriter, r *http.Request) error {
	keepAddressPrivate(w)
	if onlyLooking(r) {
		return nil
	}
	query := r.URL.Query()
	if query.Get("state") == "" {
		return s.landStray(w, r, http.StatusOK, page.StrayView{})
	}
	outcome, err := s.OAuth.Complete(r.Context(), oauth.ReadCallback(query, browserSession(r)))
	if errors.Is(err, oauth.ErrStray) {
		return s.landStray(w, r, http.StatusBadRequest, page.StrayView{Told: true, Minutes: signInMinutes})
	}
	if err != nil {
		return err
	}
	return s.landOutcome(w, r, outcome)
}

// startAuthorisation is the address that the log prints. Each visit makes a fresh state and leads to the provider.
func (s *Server) startAuthorisation(w http.ResponseWriter, r *http.Request) error {
	keepAddressPrivate(w)
	if onlyLooking(r) {
		return nil
	}
	// The state is bound to the start address, not to a browser: people copy the provider's page to where they are signed in.
	consent, err := s.OAuth.VisitStart(r.Context(), chi.URLParam(r, "id"), nil)
	if errors.Is(err, problem.ErrNotFound) {
		return s.landStray(w, r, http.StatusNotFound, page.StrayView{Start: true})
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, consent, http.StatusFound)
	return nil
}

// keepAddressPrivate keeps code and state, which stand in the address, out of other requests and caches.
func keepAddressPrivate(w http.ResponseWriter) {
	w.Header().Set("Referrer-Policy", "no-referrer")
}

func onlyLooking(r *http.Request) bool {
	return r.Method != http.MethodGet || r.Header.Get("Sec-Purpose") != "" || r.Header.Get("Purpose") == "prefetch"
}

// browserSession names the session that began a visit to the provider. The session's key may change meanwhile, when the
// password is confirmed in another tab; its id does not.
func browserSession(r *http.Request) []byte {
	session := identity.SessionFrom(r.Context())
	if !session.SignedIn() {
		return nil
	}
	sum := sha256.Sum256([]byte("session " + strconv.FormatInt(session.ID, 10)))
	return sum[:]
}

func (s *Server) landOutcome(w http.ResponseWriter, r *http.Request, o oauth.Outcome) error {
	v := page.AuthorisationView{Outcome: o, Site: s.BaseURL.Host, Clock: s.clock(r), Back: s.backFromProvider(r)}
	registration, err := s.OAuth.Lookup(r.Context(), o.Address)
	if err == nil {
		v.Provider = provider.ID(registration.Provider)
	}
	if v.Back != "" && identity.UserFrom(r.Context()).Role.CanChange() {
		v.Again = proxyPath + "/authorise?" + url.Values{"address": {o.Address}}.Encode()
	}
	status := http.StatusOK
	switch {
	case o.Running:
		w.Header().Set("Refresh", "2")
	case !o.Authorised:
		status = http.StatusBadRequest
	}
	frame := ui.LandingView{Title: v.Title(), About: v.About(), Tone: v.Tone(), Organisation: s.BaseURL.Hostname(), Help: landingHelp}
	return s.land(w, r, status, frame, page.Authorisation(v))
}

func (s *Server) landStray(w http.ResponseWriter, r *http.Request, status int, v page.StrayView) error {
	v.Back = s.backFromProvider(r)
	frame := ui.LandingView{Title: v.Title(), About: v.About(), Tone: ui.Notice, Organisation: s.BaseURL.Hostname(), Help: landingHelp}
	return s.land(w, r, status, frame, page.Stray(v))
}

// backFromProvider leads to the page of the proxy, for those who may see it.
func (s *Server) backFromProvider(r *http.Request) string {
	session := identity.SessionFrom(r.Context())
	if session.SignedIn() && session.User.Role.CanView() {
		return proxyPath + "/grants"
	}
	return ""
}
