package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"github.com/a-h/templ"
	"github.com/jackc/pgx/v5/pgconn"

	"orbit/internal/problem"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

// render writes a document. It is rendered before the first byte leaves, so that a failure is a 500 and not half a page.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, document templ.Component) error {
	var out bytes.Buffer
	if err := document.Render(r.Context(), &out); err != nil {
		return fmt.Errorf("render: %w", err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = out.WriteTo(w) // the browser went away: nobody is left to tell
	return nil
}

// show answers with a page inside the frame.
func (s *Server) show(w http.ResponseWriter, r *http.Request, status int, title string, body templ.Component) error {
	return s.render(w, r, status, within(ui.Frame(s.frame(w, r, title)), body))
}

// land answers with a page that stands alone.
func (s *Server) land(w http.ResponseWriter, r *http.Request, status int, v ui.LandingView, body templ.Component) error {
	v.Product = Product
	if v.Flash == nil {
		v.Flash = s.takeFlash(w, r)
	}
	return s.render(w, r, status, within(ui.Landing(v), body))
}

// window answers with a window: for the page that asked for one its content, for a form inside one its new
// content, and without JavaScript a page of its own.
func (s *Server) window(w http.ResponseWriter, r *http.Request, status int, v ui.WindowView, body templ.Component) error {
	w.Header().Add("Vary", "HX-Request")
	switch {
	case r.Header.Get("HX-Target") == ui.WindowID:
		return s.render(w, r, status, within(ui.Window(v), body))
	case fromHTMX(r):
		return s.render(w, r, status, body)
	}
	return s.show(w, r, status, v.Title, within(ui.WindowPage(v), body))
}

// within puts children into a part.
func within(part, children templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return part.Render(templ.WithChildren(ctx, children), w)
	})
}

// redirect sends the browser to another page of Orbit, which shows the message.
func (s *Server) redirect(w http.ResponseWriter, r *http.Request, to string, message ui.FlashView) error {
	if message.Text != "" {
		s.setFlash(w, message)
	}
	if fromHTMX(r) {
		w.Header().Set("HX-Redirect", to)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// answerJSON answers a script of ours.
func (s *Server) answerJSON(w http.ResponseWriter, value any) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Vary", "Accept")
	return json.NewEncoder(w).Encode(value)
}

func fromHTMX(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

// fail is the one place where an error becomes a status and words.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // the browser went away
	}
	v := s.explain(r, err)
	if confirm := (*problem.Confirm)(nil); errors.As(err, &confirm) && r.Method == http.MethodPost {
		err = s.askAgain(w, r, *confirm)
	} else {
		err = s.showFailure(w, r, v)
	}
	if err != nil {
		s.Log.LogAttrs(r.Context(), slog.LevelError, "error page could not be shown", slog.Any("error", err))
		http.Error(w, v.Title, v.Status)
	}
}

// explain turns an error into what a person reads. What is none of ours is logged with the reference that the page shows.
func (s *Server) explain(r *http.Request, err error) page.FailureView {
	var (
		invalid  problem.Invalid
		conflict *problem.Conflict
		refused  *problem.Refused
		confirm  *problem.Confirm
		tooLarge *http.MaxBytesError
	)
	switch {
	case errors.As(err, &invalid):
		return page.FailureView{Status: http.StatusUnprocessableEntity, Title: "This cannot be done as it was asked", Lines: texts(invalid)}
	case errors.Is(err, problem.ErrNotFound):
		return notFoundView
	case errors.Is(err, problem.ErrForbidden):
		return page.FailureView{Status: http.StatusForbidden, Title: "Your role does not allow this",
			Lines: []string{"Ask an administrator of Orbit to do it, or to give you another role."}}
	case errors.As(err, &conflict):
		return page.FailureView{Status: http.StatusConflict, Title: "Somebody else was quicker", Lines: []string{conflict.Error() + ". Nothing of yours was stored: look at it again, then repeat what you wanted."}}
	case errors.As(err, &refused):
		return page.FailureView{Status: http.StatusConflict, Title: "This is not possible now", Lines: []string{refused.Text}}
	case errors.As(err, &confirm):
		return page.FailureView{Status: http.StatusConflict, Title: "This has a consequence", Lines: []string{confirm.Text}}
	case errors.As(err, &tooLarge):
		return page.FailureView{Status: http.StatusRequestEntityTooLarge, Title: "That was too much at once",
			Lines: []string{"A form may hold 1 MB. Shorten the longest field and send it again."}}
	case errors.Is(err, form.ErrMalformed):
		return page.FailureView{Status: http.StatusBadRequest, Title: "The form could not be read", Lines: []string{"Open the page again and repeat what you wanted."}}
	}
	reference := requestID(r.Context())
	s.Log.LogAttrs(r.Context(), slog.LevelError, "request failed", slog.String("reference", reference),
		slog.String("route", pattern(r)), slog.Any("error", err))
	if lost := (*pgconn.ConnectError)(nil); errors.As(err, &lost) {
		return page.FailureView{Status: http.StatusServiceUnavailable, Title: "The database does not answer", Reference: reference,
			Lines: []string{"Nothing was changed. Orbit goes on by itself as soon as PostgreSQL is back; whoever runs this server finds the reason in Orbit's log."}}
	}
	return page.FailureView{Status: http.StatusInternalServerError, Title: "Orbit could not do this", Reference: reference,
		Lines: []string{"The reason is in Orbit's log. Try again; if it stays so, give the reference to whoever runs this server."}}
}

var notFoundView = page.FailureView{Status: http.StatusNotFound, Title: "There is nothing here",
	Lines: []string{"It may have been deleted, or the address may be incomplete."}}

func texts(invalid problem.Invalid) []string {
	lines := make([]string, len(invalid))
	for i, f := range invalid {
		lines[i] = f.Text
	}
	return lines
}
