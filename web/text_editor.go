package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-chi/chi/v5"

	"orbit/internal/identity"
	"orbit/internal/notify"
	"orbit/internal/notify/text"
	"orbit/internal/problem"
	"orbit/web/form"
	"orbit/web/mailhtml"
	"orbit/web/page"
	"orbit/web/ui"
)

// textForm is what the editor posts.
type textForm struct {
	Subject string `form:"subject" label:"Subject"`
	Message string `form:"message,lines" label:"Message"`
	Active  bool   `form:"active" label:"Active"`
	Version int    `form:"version"`
}

// pathText is the type and the language that the path names.
func (s *Server) pathText(r *http.Request) (text.Type, text.Language, error) {
	key, err := url.PathUnescape(chi.URLParam(r, "type"))
	language := text.Language(chi.URLParam(r, "language"))
	if err != nil || !slices.Contains(text.Languages(), language) {
		return text.Type{}, "", problem.ErrNotFound
	}
	kind, err := s.Notify.FindTextType(r.Context(), key)
	return kind, language, err
}

// readText reads what stands in the editor.
func (s *Server) readText(r *http.Request) (text.Type, notify.Text, form.Typed, error) {
	kind, language, err := s.pathText(r)
	if err != nil {
		return kind, notify.Text{}, nil, err
	}
	f := textForm{Active: true}
	typed, wrong, err := form.Read(r, &f)
	if err == nil {
		err = wrong.Err()
	}
	return kind, notify.Text{Type: kind.Key, Language: string(language), Subject: f.Subject, Message: f.Message, Active: f.Active, Version: f.Version}, typed, err
}

func (s *Server) editText(w http.ResponseWriter, r *http.Request) error {
	kind, language, err := s.pathText(r)
	if err != nil {
		return err
	}
	stored, err := s.Notify.FindText(r.Context(), kind.Key, language)
	if err != nil {
		return err
	}
	return s.showText(w, r, http.StatusOK, kind, stored, &ui.FormView{})
}

func (s *Server) saveText(w http.ResponseWriter, r *http.Request) error {
	kind, typedText, typed, err := s.readText(r)
	if err == nil {
		if _, err = s.Notify.SaveText(r.Context(), typedText); err == nil {
			return s.redirect(w, r, textsPath, ui.Said("The text "+kind.Name+" ("+page.LanguageName(typedText.Language)+") is saved."))
		}
	}
	if typed == nil {
		return err
	}
	v := &ui.FormView{Typed: typed}
	status, err := refill(v, err)
	if err != nil {
		return err
	}
	if v.Conflict != nil { // saving again is a decision now
		stored, err := s.Notify.FindText(r.Context(), kind.Key, text.Language(typedText.Language))
		if err != nil {
			return err
		}
		typedText.Version = stored.Version
	}
	return s.showText(w, r, status, kind, typedText, v)
}

func (s *Server) showText(w http.ResponseWriter, r *http.Request, status int, kind text.Type, t notify.Text, v *ui.FormView) error {
	return s.showTextSaying(w, r, status, kind, t, v, nil)
}

// showTextSaying shows the editor with a message about what was done with the words in it.
func (s *Server) showTextSaying(w http.ResponseWriter, r *http.Request, status int, kind text.Type, t notify.Text, v *ui.FormView, said *ui.FlashView) error {
	at := page.TextPath(kind.Key, t.Language)
	user := identity.UserFrom(r.Context())
	stored, err := s.Notify.FindText(r.Context(), kind.Key, text.Language(t.Language))
	if err != nil {
		return err
	}
	view := page.TextView{Form: v, Type: kind, Text: t, Own: stored.ID != 0, At: at, Preview: s.preview(r, kind, t), CanSend: user.Role.CanChange(), To: user.Email, Said: said}
	v.Action, v.Submit, v.Cancel, v.Version = at, "Save", textsPath, t.Version
	v.ReadOnly = !user.Role.CanChange()
	w.Header().Set("Content-Security-Policy", ui.Policy+"; frame-src 'self'") // for the preview, which has a stricter one
	return s.show(w, r, status, view.Title(), page.TextEditor(view))
}

// preview renders a text with sample values, for the reader's zone.
func (s *Server) preview(r *http.Request, kind text.Type, t notify.Text) page.TextPreview {
	words := text.Text{Subject: t.Subject, Message: t.Message}
	reader := text.Reader{Language: text.Language(t.Language), Zone: s.clock(r).Zone}
	return page.TextPreview{
		At: page.TextPath(kind.Key, t.Language), Text: words, Rendered: text.Render(words, text.Sample(kind, time.Now()), reader), Findings: text.Lint(kind, words),
	}
}

// previewText answers the editor while somebody types.
func (s *Server) previewText(w http.ResponseWriter, r *http.Request) error {
	kind, t, _, err := s.readText(r)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, page.TextPreviewLive(s.preview(r, kind, t)))
}

// previewTextHTML is the document of the frame beside the editor, with the words that were typed. A page cannot hand
// them to a frame that is stricter than itself, so the frame posts them.
func (s *Server) previewTextHTML(w http.ResponseWriter, r *http.Request) error {
	kind, t, _, err := s.readText(r)
	if err != nil {
		return err
	}
	return showMailHTML(w, s.preview(r, kind, t).Rendered.HTML)
}

// showMailHTML answers with the document of a frame: a mail's HTML, without an origin and with nothing in it that could
// act or load (package mailhtml).
func showMailHTML(w http.ResponseWriter, html string) error {
	document, err := mailhtml.Clean(html, nil)
	if err != nil {
		return problem.ErrNotFound
	}
	h := w.Header()
	h.Set("Content-Security-Policy", mailhtml.Policy)
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(document.HTML))
	return nil
}

// sendSample sends the text as it stands in the editor to whoever reads it.
func (s *Server) sendSample(w http.ResponseWriter, r *http.Request) error {
	kind, t, typed, err := s.readText(r)
	if err != nil {
		return err
	}
	said, err := s.sendSampleTo(r.Context(), t)
	if err != nil {
		return err
	}
	if fromHTMX(r) {
		return s.render(w, r, http.StatusOK, ui.Message(said.Tone, said.Text, said.Link))
	}
	return s.showTextSaying(w, r, http.StatusOK, kind, t, &ui.FormView{Typed: typed}, &said)
}

func (s *Server) sendSampleTo(ctx context.Context, t notify.Text) (ui.FlashView, error) {
	user := identity.UserFrom(ctx)
	if user.Email == "" {
		return ui.FlashView{Tone: ui.Warning, Text: "You have no e-mail address: an administrator enters it under Users."}, nil
	}
	id, err := s.Notify.SendSample(ctx, t, user.Email, user.DisplayName())
	var wrong problem.Invalid
	var refused *problem.Refused
	switch {
	case errors.As(err, &wrong):
		return ui.FlashView{Tone: ui.Bad, Text: wrong[0].Text}, nil
	case errors.As(err, &refused):
		return ui.FlashView{Tone: ui.Bad, Text: refused.Text}, nil
	}
	return ui.FlashView{Tone: ui.Good, Text: "A sample is on its way to " + user.Email + ".", Link: &ui.Link{Label: "Follow it", Href: sentPage(id)}}, err
}

func (s *Server) askRestoreText(w http.ResponseWriter, r *http.Request) error {
	kind, language, err := s.pathText(r)
	if err != nil {
		return err
	}
	at := page.TextPath(kind.Key, string(language))
	v := ui.ConfirmView{
		Title: "Restore the built-in text of " + kind.Name + "?", Action: at + "/restore", Submit: "Restore built-in", Danger: true, Back: at,
		Text: "Your words in " + page.LanguageName(string(language)) + " are removed. To keep them for later, set Active to No instead.",
	}
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: v.Title, Back: v.Back}, ui.Confirm(v))
}

func (s *Server) restoreText(w http.ResponseWriter, r *http.Request) error {
	kind, language, err := s.pathText(r)
	if err != nil {
		return err
	}
	if err := s.Notify.RestoreText(r.Context(), kind.Key, language); err != nil {
		return err
	}
	return s.redirect(w, r, textsPath, ui.Said("The built-in text of "+kind.Name+" is restored."))
}
