package web

import (
	"errors"
	"net/http"
	"strings"

	"orbit/internal/oauth"
	"orbit/internal/oauth/plan"
	"orbit/internal/problem"
	"orbit/internal/proxyhost"
	"orbit/internal/vault"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

const pastePath = proxyPath + "/paste"

// A pasted text holds secrets, so the page that answers never contains it: with JavaScript it stays in the browser's own
// field while what it would become is shown below; without, it is pasted a second time.

func (s *Server) showPaste(w http.ResponseWriter, r *http.Request) error {
	return s.pastePage(w, r, http.StatusOK, nil)
}

func (s *Server) pastePage(w http.ResponseWriter, r *http.Request, status int, preview *page.PreviewView) error {
	v := page.PasteView{Path: pastePath, Back: proxyPath, AskPassword: s.mustConfirm(r), Preview: preview}
	return s.show(w, r, status, "Paste a configuration or command", page.Paste(v))
}

// previewPaste shows what the text would become. Nothing is stored.
func (s *Server) previewPaste(w http.ResponseWriter, r *http.Request) error {
	wanted, err := s.pastedPlan(r)
	if err != nil {
		return err
	}
	return s.showPreview(w, r, http.StatusOK, page.PreviewView{Plan: wanted})
}

// createPasted stores what the text describes, all of it or nothing.
func (s *Server) createPasted(w http.ResponseWriter, r *http.Request) error {
	wanted, err := s.pastedPlan(r)
	if err != nil {
		return err
	}
	v := page.PreviewView{Plan: wanted}
	if len(wanted.Problems) > 0 {
		return s.showPreview(w, r, http.StatusUnprocessableEntity, v)
	}
	var done proxyhost.Applied
	if err = asProblem(s.confirmOnce(w, r)); err == nil {
		done, err = s.Proxies.Apply(r.Context(), wanted)
	}
	var refused *problem.Refused
	switch {
	case err == nil:
		return s.redirect(w, r, afterPaste(done), ui.Said(created(done)))
	case errors.As(err, &v.Problems):
		return s.showPreview(w, r, http.StatusUnprocessableEntity, v)
	case errors.As(err, &v.Confirm):
		return s.showPreview(w, r, http.StatusConflict, v)
	case errors.As(err, &refused):
		v.Refused = refused.Text
		return s.showPreview(w, r, http.StatusConflict, v)
	}
	return err
}

// pastedPlan reads the text. Paths in it would be those of the server, so files are not read.
func (s *Server) pastedPlan(r *http.Request) (plan.Plan, error) {
	var in struct {
		Text  vault.Secret `form:"text"`
		Force bool         `form:"force"`
	}
	_, wrong, err := form.Read(r, &in)
	if err != nil {
		return plan.Plan{}, err
	}
	if in.Text.IsZero() || strings.TrimSpace(in.Text.Reveal()) == "" {
		wrong.Add("text", "Paste a configuration or a command.")
	}
	if len(wrong) > 0 {
		return plan.Plan{Problems: wrong}, nil
	}
	wanted := plan.Parse(in.Text.Reveal(), plan.Options{RedirectURI: s.OAuth.RedirectURI()})
	wanted.Force = in.Force // also where the command has the flag: a page asks
	return wanted, nil
}

func (s *Server) showPreview(w http.ResponseWriter, r *http.Request, status int, v page.PreviewView) error {
	v.Path, v.Again = pastePath, !fromHTMX(r)
	if fromHTMX(r) {
		return s.render(w, r, status, page.Preview(v))
	}
	return s.pastePage(w, r, status, &v)
}

// created says what a plan became.
func created(done proxyhost.Applied) string {
	var names []string
	for _, r := range done.Registrations {
		names = append(names, "registration "+r.Pattern)
	}
	for _, l := range done.Listeners {
		names = append(names, "listener "+l.Name+" at "+l.Local())
	}
	return "Stored: " + strings.Join(names, ", ") + "."
}

// afterPaste leads on to what has to be done at the provider.
func afterPaste(done proxyhost.Applied) string {
	if len(done.Registrations) == 1 {
		return page.RegistrationPath(done.Registrations[0].ID) + "/steps"
	}
	return proxyPath
}

// exportProxy answers with a configuration that email-oauth2-proxy reads, without secrets.
func (s *Server) exportProxy(w http.ResponseWriter, r *http.Request) error {
	stored, err := s.OAuth.List(r.Context())
	if err != nil {
		return err
	}
	listeners, err := s.Proxies.List(r.Context())
	if err != nil {
		return err
	}
	text, _ := plan.Export(exported(stored), exportedListeners(listeners), s.OAuth.RedirectURI())
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="emailproxy.config"`)
	_, _ = w.Write([]byte(text))
	return nil
}

func exported(stored []oauth.Registration) []plan.Registration {
	all := make([]plan.Registration, len(stored))
	for i, r := range stored {
		all[i] = plan.Registration{Settings: r.Settings}
	}
	return all
}

func exportedListeners(stored []proxyhost.Listener) []plan.Listener {
	all := make([]plan.Listener, len(stored))
	for i, l := range stored {
		all[i] = l.Plan()
	}
	return all
}
