package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"orbit/internal/oauth"
	"orbit/internal/problem"
	"orbit/internal/vault"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

const authorisePath = proxyPath + "/authorise"

// deviceLook is how often a device flow that waits is looked at. Another process may poll the provider, so its row is asked.
const deviceLook = time.Second

// askAuthorise asks for the mailbox that is to be authorised.
func (s *Server) askAuthorise(w http.ResponseWriter, r *http.Request) error {
	v := page.AuthoriseFormView{Form: &ui.FormView{ID: "authorise-form"}, Address: r.URL.Query().Get("address")}
	if v.Address != "" {
		found, err := s.OAuth.Lookup(r.Context(), v.Address)
		if err != nil && !errors.Is(err, problem.ErrNotFound) {
			return err
		}
		v.Registration = found
	}
	return s.showAuthorise(w, r, http.StatusOK, v)
}

// askAuthoriseWith asks the same for one registration.
func (s *Server) askAuthoriseWith(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathRegistration(r)
	if err != nil {
		return err
	}
	return s.showAuthorise(w, r, http.StatusOK, page.AuthoriseFormView{Form: &ui.FormView{ID: "authorise-form"}, Registration: found})
}

func (s *Server) showAuthorise(w http.ResponseWriter, r *http.Request, status int, v page.AuthoriseFormView) error {
	known, err := s.knownMailboxes(r.Context())
	if err != nil {
		return err
	}
	v.Action, v.Back, v.Mailboxes = authorisePath, grantsPath, known
	return s.window(w, r, status, ui.WindowView{Title: "Authorise a mailbox", Back: v.Back}, page.AuthoriseForm(v))
}

// authorise begins what the registration of the mailbox wants: a visit to the provider, a code, or nothing of a person.
func (s *Server) authorise(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Address  string       `form:"address" label:"Mailbox"`
		Password vault.Secret `form:"mailbox_password" label:"Password of the mailbox"`
	}
	typed, wrong, err := form.Read(r, &in)
	if err != nil {
		return err
	}
	address := oauth.Normal(in.Address)
	if local, domain, _ := strings.Cut(address, "@"); local == "" || domain == "" {
		wrong.Add("address", "Enter the address of the mailbox, such as alerts@example.com.")
	}
	v := page.AuthoriseFormView{Form: &ui.FormView{ID: "authorise-form", Typed: typed, Problems: wrong}, Address: address}
	if len(wrong) > 0 {
		return s.showAuthorise(w, r, http.StatusUnprocessableEntity, v)
	}
	if v.Registration, err = s.OAuth.Lookup(r.Context(), address); errors.Is(err, problem.ErrNotFound) {
		v.Form.Problems.Add("address", "No registration covers %s. Register the address, its domain or @ first.", address)
		return s.showAuthorise(w, r, http.StatusUnprocessableEntity, v)
	}
	if err != nil {
		return err
	}
	switch v.Registration.EffectiveFlow() {
	case oauth.AuthorizationCode:
		return s.sendToProvider(w, r, v.Registration, address)
	case oauth.DeviceCode:
		return s.startDevice(w, r, address)
	case oauth.Password:
		return s.authoriseByPassword(w, r, v, in.Password)
	case oauth.ClientCredentials, oauth.ServiceAccount:
	}
	outcome, err := s.OAuth.Prove(r.Context(), address)
	if err != nil {
		return err
	}
	return s.showOutcome(w, r, outcome)
}

// sendToProvider shows the way to the provider; a post must not lead there by itself (form-action of the policy).
func (s *Server) sendToProvider(w http.ResponseWriter, r *http.Request, registration oauth.Registration, address string) error {
	link, err := s.OAuth.StartLink(r.Context(), address)
	if err != nil {
		return err
	}
	v := page.AuthoriseView{
		Address: address, Registration: registration, Link: link, Consent: link.URL, Clock: s.clock(r), Back: grantsPath, Credentials: credentialsPath + "/new",
	}
	if s.comesBackHere(r, registration) {
		if v.Consent, err = s.OAuth.Visit(r.Context(), address, browserSession(r)); err != nil {
			return err
		}
	}
	if v.Unregistered, err = s.lacksCredential(r.Context(), registration, address); err != nil {
		return err
	}
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: "Authorise " + address, Back: grantsPath}, page.Authorise(v))
}

// comesBackHere reports whether the provider sends people to the host that they use now, where their session is known.
// Elsewhere the visit is bound to the start address instead.
func (s *Server) comesBackHere(r *http.Request, registration oauth.Registration) bool {
	back := registration.RedirectURI
	if back == "" {
		back = s.OAuth.RedirectURI()
	}
	u, err := url.Parse(back)
	return err == nil && strings.EqualFold(u.Host, r.Host)
}

// lacksCredential reports whether a registration for many mailboxes does not apply to this one yet.
func (s *Server) lacksCredential(ctx context.Context, registration oauth.Registration, address string) (bool, error) {
	if !registration.CatchAll() {
		return false, nil
	}
	stored, err := s.Credentials.List(ctx)
	if err != nil {
		return false, err
	}
	for _, c := range stored {
		if oauth.Normal(c.Username) == address {
			return false, nil
		}
	}
	return true, nil
}

func (s *Server) authoriseByPassword(w http.ResponseWriter, r *http.Request, v page.AuthoriseFormView, password vault.Secret) error {
	if password.IsZero() {
		if _, asked := r.PostForm["mailbox_password"]; asked {
			v.Form.Problems.Add("mailbox_password", "Enter the password of the mailbox.")
		}
		return s.showAuthorise(w, r, http.StatusUnprocessableEntity, v)
	}
	outcome, err := s.OAuth.SetPassword(r.Context(), v.Address, password)
	if err != nil {
		return err
	}
	return s.showOutcome(w, r, outcome)
}

func (s *Server) showOutcome(w http.ResponseWriter, r *http.Request, o oauth.Outcome) error {
	v := page.OutcomeView{Outcome: o, Back: grantsPath, Again: authorisePath + "?" + url.Values{"address": {o.Address}}.Encode()}
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: "Authorise " + o.Address, Back: grantsPath}, page.OutcomeText(v))
}

// startDevice asks the provider for a code.
func (s *Server) startDevice(w http.ResponseWriter, r *http.Request, address string) error {
	request, err := s.OAuth.StartDevice(r.Context(), address)
	if fault := faultOf(err); fault != nil {
		return s.showOutcome(w, r, oauth.Outcome{Address: address, Fault: fault})
	}
	if err != nil {
		return err
	}
	return s.showDeviceState(w, r, address, request, nil)
}

func (s *Server) showDeviceState(w http.ResponseWriter, r *http.Request, address string, request oauth.DeviceRequest, outcome *oauth.Outcome) error {
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: "Authorise " + address, Back: grantsPath}, page.Device(s.deviceView(r, address, request, outcome)))
}

func (s *Server) deviceView(r *http.Request, address string, request oauth.DeviceRequest, outcome *oauth.Outcome) page.DeviceView {
	query := "?" + url.Values{"address": {address}}.Encode()
	return page.DeviceView{
		Address: address, Request: request, Outcome: outcome, Stream: proxyPath + "/device/events" + query, Reload: proxyPath + "/device" + query,
		Again: authorisePath + query, Back: grantsPath, Clock: s.clock(r),
	}
}

// showDevice shows a device flow again, for browsers without JavaScript.
func (s *Server) showDevice(w http.ResponseWriter, r *http.Request) error {
	address := oauth.Normal(r.URL.Query().Get("address"))
	request, outcome, err := s.OAuth.DeviceState(r.Context(), address)
	if err != nil {
		return err
	}
	return s.showDeviceState(w, r, address, request, outcome)
}

// streamDevice tells the page when the person has entered the code.
func (s *Server) streamDevice(w http.ResponseWriter, r *http.Request) error {
	address := oauth.Normal(r.URL.Query().Get("address"))
	if _, _, err := s.OAuth.DeviceState(r.Context(), address); err != nil {
		return err
	}
	events, err := startStream(w, r)
	if err != nil {
		return err
	}
	look := time.NewTicker(deviceLook)
	defer look.Stop()
	for {
		request, outcome, err := s.OAuth.DeviceState(r.Context(), address)
		if err != nil {
			return nil //nolint:nilerr // the answer has begun: the browser sees the stream end and asks again
		}
		if outcome != nil {
			_ = events.send("device", page.DeviceState(s.deviceView(r, address, request, outcome)))
			return events.done()
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-look.C:
		}
	}
}
