package web

import (
	"bytes"
	"context"
	"encoding/base64"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"orbit/internal/identity"
	"orbit/internal/inbox"
	"orbit/internal/problem"
	"orbit/web/mailhtml"
	"orbit/web/page"
	"orbit/web/ui"
)

const (
	maxSource = 256 << 10        // of the raw source on a page; the file has all of it
	maxInline = 5 << 20          // of all inline images of one message
	downloads = 10 * time.Minute // a large attachment on a slow line
)

// pathMessage is the received message that the path names.
func (s *Server) pathMessage(r *http.Request) (inbox.Message, error) {
	id, err := pathID(r)
	if err != nil {
		return inbox.Message{}, err
	}
	return s.Inbox.Find(r.Context(), id)
}

// showMessage shows a received message.
func (s *Server) showMessage(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathMessage(r)
	if err != nil {
		return err
	}
	mailbox, err := s.Accounts.FindMailbox(r.Context(), found.AccountID)
	if err != nil {
		return err
	}
	v := page.MessageView{Message: found, Mailbox: mailbox, Clock: s.clock(r), CanAct: identity.UserFrom(r.Context()).Role.CanChange()}
	if found.Read.HTML != "" {
		document, err := mailhtml.Clean(found.Read.HTML, nil)
		v.HTML, v.Remote, v.Active = err == nil, document.Remote, document.Active
	}
	w.Header().Set("Content-Security-Policy", ui.Policy+"; frame-src 'self'") // for the message's own HTML, which has a stricter one
	return s.show(w, r, http.StatusOK, v.Title(), page.Message(v))
}

// actUponMessage has a message acted upon that was left alone when it came.
func (s *Server) actUponMessage(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	acted, err := s.Inbox.Act(r.Context(), id)
	if err != nil {
		return err
	}
	said := ui.Said("The message was offered to everything in Orbit that acts upon mail.")
	if words := page.OutcomeWords(acted); words == "" {
		said = ui.FlashView{Tone: ui.Notice, Text: "Nothing in Orbit acts upon this message."}
	}
	return s.redirect(w, r, page.MessagePath(id), said)
}

// showMessageHTML is the document of the frame in a message's page: without an origin, and with nothing in it that
// could act or load (package mailhtml).
func (s *Server) showMessageHTML(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathMessage(r)
	if err != nil {
		return err
	}
	document, err := mailhtml.Clean(found.Read.HTML, s.inlineImages(r.Context(), found))
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

// inlineImages gives the images of a message by their Content-ID, as far as they are not too large together.
func (s *Server) inlineImages(ctx context.Context, m inbox.Message) func(string) string {
	room := maxInline
	return func(contentID string) string {
		for _, a := range m.Read.Attachments {
			if a.ContentID != contentID || !imageTypes[strings.ToLower(a.Type)] || a.Size > int64(room) {
				continue
			}
			var content bytes.Buffer
			if err := s.Inbox.Part(ctx, m.ID, a.Part, &content); err != nil {
				return ""
			}
			room -= content.Len()
			return "data:" + strings.ToLower(a.Type) + ";base64," + base64.StdEncoding.EncodeToString(content.Bytes())
		}
		return ""
	}
}

// imageTypes are those that are pictures and nothing else; SVG is a document.
var imageTypes = map[string]bool{"image/png": true, "image/jpeg": true, "image/gif": true, "image/webp": true}

// showMessageSource shows the beginning of a message as the server sent it.
func (s *Server) showMessageSource(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathMessage(r)
	if err != nil {
		return err
	}
	source := &beginning{room: maxSource}
	if err := s.Inbox.Raw(r.Context(), found.ID, source); err != nil {
		return err
	}
	v := page.SourceView{Message: found, Text: strings.ToValidUTF8(source.text.String(), "\uFFFD"), Cut: source.cut}
	return s.show(w, r, http.StatusOK, "Source of "+page.SubjectOf(found.Row), page.MessageSource(v))
}

// beginning keeps the first bytes that are written to it.
type beginning struct {
	text bytes.Buffer
	room int
	cut  bool
}

func (b *beginning) Write(p []byte) (int, error) {
	kept := p[:min(len(p), b.room)]
	b.room -= len(kept)
	b.cut = b.cut || len(kept) < len(p)
	_, _ = b.text.Write(kept) // a buffer takes everything
	return len(p), nil
}

// downloadMessage answers with a message as the server sent it.
func (s *Server) downloadMessage(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathMessage(r)
	if err != nil {
		return err
	}
	startDownload(w, "message/rfc822", found.FileName())
	return s.cutOff(s.Inbox.Raw(r.Context(), found.ID, w))
}

// downloadPart answers with an attachment. Its type is what the sender says, so browsers are told only to keep it.
func (s *Server) downloadPart(w http.ResponseWriter, r *http.Request) error {
	found, err := s.pathMessage(r)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(chi.URLParam(r, "part"))
	if err != nil {
		return problem.ErrNotFound
	}
	a, err := found.Attachment(n)
	if err != nil {
		return err
	}
	startDownload(w, "application/octet-stream", inbox.FileName(a))
	return s.cutOff(s.Inbox.Part(r.Context(), found.ID, n, w))
}

// startDownload begins an answer that is a file of a stranger.
func startDownload(w http.ResponseWriter, kind, name string) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(downloads)) // what cannot be set stays as it is
}

// cutOff ends an answer that has begun and cannot go on: the browser must see that the file is not whole.
func (s *Server) cutOff(err error) error {
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}
