package web

import (
	"encoding/base64"
	"encoding/json"
	"net/http"

	"orbit/web/ui"
)

// A message for the next page travels in a cookie of its own: it must survive signing in and out, and is no reason to
// write a session to the database twice. Whoever could plant one could only show a sentence, which is escaped.
const flashAge = 60 // seconds; a redirect takes less

func (s *Server) flashCookie() string {
	if s.secure() {
		return "__Host-orbit-message"
	}
	return "orbit-message"
}

func (s *Server) secure() bool { return s.BaseURL.Scheme == "https" }

func (s *Server) setFlash(w http.ResponseWriter, v ui.FlashView) {
	text, err := json.Marshal(v)
	if err != nil {
		return
	}
	s.writeFlash(w, base64.RawURLEncoding.EncodeToString(text), flashAge)
}

func (s *Server) writeFlash(w http.ResponseWriter, value string, age int) {
	http.SetCookie(w, &http.Cookie{
		Name: s.flashCookie(), Value: value, Path: "/", MaxAge: age,
		HttpOnly: true, Secure: s.secure(), SameSite: http.SameSiteLaxMode,
	})
}

// takeFlash returns the message that the page before left, once.
func (s *Server) takeFlash(w http.ResponseWriter, r *http.Request) *ui.FlashView {
	cookie, err := r.Cookie(s.flashCookie())
	if err != nil || cookie.Value == "" {
		return nil
	}
	s.writeFlash(w, "", -1)
	text, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return nil
	}
	var v ui.FlashView
	if json.Unmarshal(text, &v) != nil || v.Text == "" {
		return nil
	}
	return &v
}
