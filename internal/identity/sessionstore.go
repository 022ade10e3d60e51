package identity

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"maps"
	"net/http"

	"github.com/gorilla/sessions"

	"orbit/internal/problem"
	"orbit/internal/vault"
)

// SessionStore is the gorilla sessions.Store on PostgreSQL. The cookie holds a random key and nothing else; what a
// page wants to remember (Values) stays in the database, beside who is signed in.
//
// Only a sign-in begins a session: whatever is put into Values before is forgotten, so that strangers cannot fill the
// table.
type SessionStore struct{ service *Service }

// SessionStore returns the store that web uses.
func (s *Service) SessionStore() *SessionStore { return &SessionStore{service: s} }

// Cookie names. A browser accepts the __Host- prefix only from https, without Domain and with Path=/, so that no
// neighbour under the same domain can plant a session.
const (
	secureCookie = "__Host-orbit"
	plainCookie  = "orbit"
)

// CookieName is what the browser calls the session's key.
func (s *SessionStore) CookieName() string {
	if s.service.options.Secure {
		return secureCookie
	}
	return plainCookie
}

// options are those of the cookie. SameSite is Lax and not Strict, or the browser that comes back from an OAuth 2.0
// provider would arrive signed out. MaxAge 0: the browser forgets it when it closes, the server at the latest after
// the absolute limit.
func (s *SessionStore) options() *sessions.Options {
	return &sessions.Options{
		Path: "/", HttpOnly: true, Secure: s.service.options.Secure, SameSite: http.SameSiteLaxMode,
	}
}

// recordKey is where Values carries the Session; it is not stored with them.
type recordKey struct{}

// Record returns the Session behind a gorilla session; the zero Session when nobody is signed in.
func Record(session *sessions.Session) Session {
	found, _ := session.Values[recordKey{}].(Session)
	return found
}

// Get returns the session of a request, the same one however often it is called.
func (s *SessionStore) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(s, name)
}

// New reads the session that the cookie names. Without one it returns a session that is new and empty.
func (s *SessionStore) New(r *http.Request, name string) (*sessions.Session, error) {
	session := sessions.NewSession(s, name)
	session.Options = s.options()
	session.IsNew = true
	key := cookieValue(r, name)
	if key == "" {
		return session, nil
	}
	found, data, err := s.service.FindSession(r.Context(), vault.NewSecret(key))
	if errors.Is(err, problem.ErrNotFound) {
		return session, nil
	}
	if err != nil {
		return session, err
	}
	session.ID, session.IsNew = key, false
	session.Values, err = decodeValues(data)
	session.Values[recordKey{}] = found
	return session, err
}

func cookieValue(r *http.Request, name string) string {
	for _, c := range r.CookiesNamed(name) {
		return c.Value
	}
	return ""
}

// Save stores what Values holds. A negative MaxAge ends the session, as gorilla has it.
func (s *SessionStore) Save(r *http.Request, w http.ResponseWriter, session *sessions.Session) error {
	record := Record(session)
	if !record.SignedIn() {
		return nil
	}
	if session.Options.MaxAge < 0 {
		http.SetCookie(w, sessions.NewCookie(session.Name(), "", session.Options))
		_, err := deleteSession(r.Context(), s.service.pool, record.User.ID, record.ID)
		return err
	}
	data, err := encodeValues(session.Values)
	if err != nil {
		return err
	}
	return updateSessionData(r.Context(), s.service.pool, record.ID, data)
}

// Begin puts the key of a session that was just made, or got a new key, into the cookie.
func (s *SessionStore) Begin(w http.ResponseWriter, r *http.Request, begun Session) error {
	session, err := s.Get(r, s.CookieName())
	if err != nil {
		return err
	}
	if Record(session).ID != begun.ID {
		clear(session.Values) // nothing passes from one person to the next
	}
	session.ID, session.IsNew = begun.Key.Reveal(), false
	begun.Key = vault.Secret{}
	session.Values[recordKey{}] = begun
	http.SetCookie(w, sessions.NewCookie(session.Name(), session.ID, session.Options))
	return nil
}

// Forget takes the cookie from the browser; the session itself was ended by the service.
func (s *SessionStore) Forget(w http.ResponseWriter) {
	options := s.options()
	options.MaxAge = -1
	http.SetCookie(w, sessions.NewCookie(s.CookieName(), "", options))
}

// maxSessionData keeps Values what it is meant for: a message for the next page, not an archive.
const maxSessionData = 32 << 10

func encodeValues(values map[any]any) ([]byte, error) {
	kept := maps.Clone(values)
	delete(kept, recordKey{})
	if len(kept) == 0 {
		return []byte{}, nil
	}
	var out bytes.Buffer
	if err := gob.NewEncoder(&out).Encode(kept); err != nil {
		return nil, fmt.Errorf("encode session: %w", err)
	}
	if out.Len() > maxSessionData {
		return nil, fmt.Errorf("session holds %d bytes, at most %d are kept", out.Len(), maxSessionData)
	}
	return out.Bytes(), nil
}

// decodeValues always returns a map that can be written to.
func decodeValues(data []byte) (map[any]any, error) {
	values := map[any]any{}
	if len(data) == 0 {
		return values, nil
	}
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&values); err != nil {
		return map[any]any{}, fmt.Errorf("decode session: %w", err)
	}
	return values, nil
}
