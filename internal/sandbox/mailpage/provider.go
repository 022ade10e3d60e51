package mailpage

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"orbit/internal/sandbox/idp"
)

// mostFailures is how many requests in a row can be made to fail.
const mostFailures = 20

// provider shows what the identity provider was asked, and what can be done to it.
func (s *site) provider(w http.ResponseWriter, r *http.Request) {
	show(w, r, http.StatusOK, providerPage(s.providerView(r.FormValue("done"))))
}

func (s *site) providerView(done string) providerView {
	stats := s.identity.Stats()
	view := providerView{
		Done: said[done], Scripted: s.identity.Scripted(), Mailboxes: s.identity.Mailboxes(), Endpoints: s.identity.Endpoints(),
		Counts: []count{
			{"Consent pages shown", stats.Authorise}, {"Accepted", stats.Consents}, {"Declined", stats.Declined},
			{"Token requests", stats.TokenRequests()}, {"Access tokens given", stats.Issued},
		},
	}
	for _, name := range idp.Names() {
		f := idp.Known(name)
		text, _, _ := strings.Cut(f.Description, ". ")
		group := &view.Failures[1]
		if f.Number != 0 {
			group = &view.Failures[0]
		}
		group.Options = append(group.Options, option{name, shorten(strings.TrimSuffix(text, "."))})
	}
	view.Failures[0].Name, view.Failures[1].Name = "Microsoft", "Google and the standard"
	return view
}

// blank is what a text of the catalogue leaves open.
var blank = regexp.MustCompile(`'?\{\w+\}'?`)

func shorten(text string) string {
	text = blank.ReplaceAllString(text, "…")
	if letters := []rune(text); len(letters) > 70 {
		return string(letters[:70]) + "…"
	}
	return text
}

// said are the messages after something was done.
var said = map[string]string{
	"fail":    "The next requests fail as you chose. Let Orbit ask for a token and look at what it says.",
	"recover": "The provider answers as usual again.",
	"revoke":  "The grants of the mailbox have ended, as if its password had been changed.",
}

// fail scripts failures.
func (s *site) fail(w http.ResponseWriter, r *http.Request) {
	times, err := strconv.Atoi(r.PostFormValue("times"))
	name := r.PostFormValue("failure")
	if err != nil || times < 1 || times > mostFailures || name == "" {
		http.Error(w, "Choose a failure, and between 1 and 20 requests.", http.StatusUnprocessableEntity)
		return
	}
	for range times {
		s.identity.Fail(idp.Known(name))
	}
	http.Redirect(w, r, "/provider?done=fail", http.StatusSeeOther)
}

func (s *site) recover(w http.ResponseWriter, r *http.Request) {
	s.identity.Recover()
	http.Redirect(w, r, "/provider?done=recover", http.StatusSeeOther)
}

func (s *site) revoke(w http.ResponseWriter, r *http.Request) {
	s.identity.Revoke(r.PostFormValue("mailbox"))
	http.Redirect(w, r, "/provider?done=revoke", http.StatusSeeOther)
}
