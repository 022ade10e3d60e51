package web

import (
	"net/http"
	"net/url"
	"strconv"

	"orbit/internal/identity"
	"orbit/internal/notify"
	"orbit/internal/problem"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

// showSent shows a message with everything that happened to it.
func (s *Server) showSent(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	line, err := s.Notify.Timeline(r.Context(), id)
	if err != nil {
		return err
	}
	content, err := s.Notify.Content(r.Context(), id)
	if err != nil {
		return err
	}
	v := page.SentView{Message: line, Content: content, Clock: s.clock(r), At: sentPage(id), CanAct: identity.UserFrom(r.Context()).Role.CanTest()}
	w.Header().Set("Content-Security-Policy", ui.Policy+"; frame-src 'self'") // for the mail, which has a stricter one
	return s.show(w, r, http.StatusOK, v.Title(), page.Sent(v))
}

// showSentHTML is the document of the frame on a message's page. What decides something is hidden in it too.
func (s *Server) showSentHTML(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	content, err := s.Notify.Content(r.Context(), id)
	if err != nil {
		return err
	}
	return showMailHTML(w, content.HTML)
}

// downloadSent answers with a message as it was sent.
func (s *Server) downloadSent(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	var source writeLater
	if err := s.Notify.Source(r.Context(), id, &source); err != nil {
		return err
	}
	startDownload(w, "message/rfc822", "sent-"+strconv.FormatInt(id, 10)+".eml")
	_, _ = w.Write(source) // a browser that went away is told nothing
	return nil
}

// writeLater keeps what is written, so that a failure can still be told.
type writeLater []byte

func (l *writeLater) Write(p []byte) (int, error) {
	*l = append(*l, p...)
	return len(p), nil
}

// actForm says what to do with which messages: those that are picked, one, or all that a filter chooses.
type actForm struct {
	Action string  `form:"action"`
	IDs    []int64 `form:"id"`
	All    bool    `form:"all"`
	Query  string  `form:"query"` // of the list
	Sure   bool    `form:"sure"`
}

// actOnSent pauses, resumes, tries again or cancels. Everything that matches is asked about first.
func (s *Server) actOnSent(w http.ResponseWriter, r *http.Request) error {
	var f actForm
	if _, wrong, err := form.Read(r, &f); err != nil || len(wrong) > 0 {
		return firstOf(err, wrong.Err())
	}
	if id, err := strconv.ParseInt(r.URL.Query().Get("one"), 10, 64); err == nil {
		f.Action, f.IDs, f.All = r.URL.Query().Get("action"), []int64{id}, false
	}
	action := notify.Action(f.Action)
	if f.All {
		return s.actOnAll(w, r, action, f)
	}
	if len(f.IDs) == 0 {
		return s.redirect(w, r, back(r), ui.Warned("No message is picked."))
	}
	n, err := s.Notify.Act(r.Context(), action, f.IDs)
	if err != nil {
		return err
	}
	return s.redirect(w, r, back(r), page.ActedWords(action, n, len(f.IDs)))
}

func (s *Server) actOnAll(w http.ResponseWriter, r *http.Request, action notify.Action, f actForm) error {
	query, err := url.ParseQuery(f.Query)
	if err != nil {
		return problem.ErrNotFound
	}
	list := sentPath
	if len(query) > 0 {
		list += "?" + query.Encode()
	}
	if !f.Sure {
		v := ui.ConfirmView{
			Title: page.ActionWord(action) + " all that match?", Text: page.ActionConsequence(action), Facts: page.FilterFacts(query), Action: sentPath + "/act",
			Submit: page.ActionWord(action) + " all", Danger: action == notify.Cancel, Back: list,
			Values: map[string]string{"action": f.Action, "all": "yes", "query": f.Query, "sure": "yes"},
		}
		return s.window(w, r, http.StatusOK, ui.WindowView{Title: v.Title, Back: v.Back}, ui.Confirm(v))
	}
	n, err := s.Notify.ActAll(r.Context(), action, sentFilter(query, s.clock(r).Zone))
	if err != nil {
		return err
	}
	return s.redirect(w, r, list, page.ActedWords(action, n, n))
}

// firstOf returns the first error there is.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
