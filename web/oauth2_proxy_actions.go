package web

import (
	"net/http"
	"strings"

	"orbit/internal/oauth"
	"orbit/internal/oauth/checklist"
	"orbit/internal/oauth/preset"
	"orbit/web/page"
	"orbit/web/ui"
)

// showSteps is the checklist of what has to be done at the provider.
func (s *Server) showSteps(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathRegistration(r)
	if err != nil {
		return err
	}
	known, err := s.knownMailboxes(r.Context())
	if err != nil {
		return err
	}
	v := page.StepsView{Registration: found, Mailbox: oauth.Normal(r.URL.Query().Get("mailbox")), Action: page.RegistrationPath(found.ID) + "/steps"}
	for _, mailbox := range known {
		if found.Covers(mailbox) {
			v.Mailboxes = append(v.Mailboxes, mailbox)
		}
	}
	if v.Mailbox == "" && len(v.Mailboxes) > 0 {
		v.Mailbox = v.Mailboxes[0]
	}
	v.Steps = checklist.Of(checklist.In{Registration: found, Mailbox: v.Mailbox, RedirectURI: s.OAuth.RedirectURI()})
	return s.show(w, r, http.StatusOK, v.Title(), page.Steps(v))
}

// askRemoveRegistration names what goes with a registration.
func (s *Server) askRemoveRegistration(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathRegistration(r)
	if err != nil {
		return err
	}
	grants, err := s.OAuth.Grants(r.Context(), found.ID)
	if err != nil {
		return err
	}
	v := ui.ConfirmView{
		Title: "Remove registration " + found.Pattern + "?", Action: page.RegistrationPath(found.ID) + "/remove", Submit: "Remove registration", Danger: true,
		Text:  "Its secrets are destroyed. No mailbox has authorised it, so nobody notices.",
		Facts: []ui.Fact{{Label: "Provider", Value: preset.Of(found.Settings).Name}, {Label: "Client ID", Value: found.ClientID, Mono: true}},
		Back:  proxyPath, Password: s.mustConfirm(r),
	}
	if len(grants) > 0 {
		v.Text = "Its secrets and the permissions of " + ui.Count(len(grants), "mailbox", "mailboxes") + " are destroyed, and Orbit cannot sign in there any more until somebody authorises again."
		v.Facts = append(v.Facts, ui.Fact{Label: "Mailboxes", Value: addresses(grants)})
	}
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: v.Title, Back: v.Back}, ui.Confirm(v))
}

const namedAtMost = 5 // mailboxes that a question lists

func addresses(grants []oauth.Grant) string {
	var named []string
	for _, g := range grants[:min(len(grants), namedAtMost)] {
		named = append(named, g.Address)
	}
	text := strings.Join(named, ", ")
	if more := len(grants) - namedAtMost; more > 0 {
		text += " and " + ui.Count(more, "other", "others")
	}
	return text
}

func (s *Server) removeRegistration(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathRegistration(r)
	if err != nil {
		return err
	}
	if err := s.OAuth.Remove(r.Context(), found.ID); err != nil {
		return err
	}
	return s.redirect(w, r, proxyPath, ui.Said("The registration for "+page.PatternWords(found.Pattern)+" is removed."))
}

// askTestRegistration says what a test of a registration does.
func (s *Server) askTestRegistration(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathRegistration(r)
	if err != nil {
		return err
	}
	v := page.RegistrationTestView{Registration: found, Action: page.RegistrationPath(found.ID) + "/test", Back: proxyPath}
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: "Test registration " + found.Pattern, Back: v.Back}, page.RegistrationTest(v))
}

// testRegistration shows the client and its secret to the token endpoint. No grant is touched.
func (s *Server) testRegistration(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathRegistration(r)
	if err != nil {
		return err
	}
	proof, err := s.OAuth.ProveSecret(r.Context(), found.ID)
	if err != nil {
		return err
	}
	v := page.RegistrationTestView{Registration: found, Action: page.RegistrationPath(found.ID) + "/test", Back: proxyPath, Proof: &proof}
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: "Test registration " + found.Pattern, Back: v.Back}, page.RegistrationTest(v))
}
