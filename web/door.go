package web

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"orbit/web/page"
	"orbit/web/ui"
)

// maxBody bounds what a form may send; the largest field is a certificate chain.
const maxBody = 1 << 20

// visit is what the access log knows of a request; the session adds its user.
type visit struct {
	id   string
	user string
}

type visitKey struct{}

// identify gives each request an id: the reference on an error page and in every log line about it.
func (s *Server) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		random := make([]byte, 6)
		_, _ = rand.Read(random)
		v := &visit{id: hex.EncodeToString(random)}
		w.Header().Set("X-Request-Id", v.id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), visitKey{}, v)))
	})
}

func requestID(ctx context.Context) string {
	if v, ok := ctx.Value(visitKey{}).(*visit); ok {
		return v.id
	}
	return ""
}

// NoteToken puts the API token of a request into the access log, in the place of a user.
func NoteToken(ctx context.Context, name string) { noteUser(ctx, "token "+name) }

func noteUser(ctx context.Context, name string) {
	if v, ok := ctx.Value(visitKey{}).(*visit); ok {
		v.user = name
	}
}

// accessLog writes one line a request. It names the route and never the address: a path may hold a decision token.
func (s *Server) accessLog(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		seen := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		defer func() {
			v, _ := r.Context().Value(visitKey{}).(*visit)
			s.Log.LogAttrs(r.Context(), slog.LevelInfo, "request",
				slog.String("method", r.Method), slog.String("route", pattern(r)), slog.Int("status", seen.Status()),
				slog.Int("bytes", seen.BytesWritten()), slog.Duration("took", time.Since(started)),
				slog.String("address", clientIP(r)), slog.String("user", v.user), slog.String("id", v.id))
		}()
		next.ServeHTTP(seen, r)
	})
}

// pattern is the route that r took: "/settings/notifications/smtp/{id}".
func pattern(r *http.Request) string {
	if route := chi.RouteContext(r.Context()); route != nil && route.RoutePattern() != "" {
		return route.RoutePattern()
	}
	return "none"
}

// recovered turns a panic into an error page and a log entry with the stack.
func (s *Server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so itself
				panic(cause)
			}
			s.Log.LogAttrs(r.Context(), slog.LevelError, "panic", slog.String("reference", requestID(r.Context())),
				slog.String("route", pattern(r)), slog.Any("cause", cause), slog.String("stack", string(debug.Stack())))
			s.fail(w, r, fmt.Errorf("panic: %v", cause))
		}()
		next.ServeHTTP(w, r)
	})
}

// securityHeaders forbids whatever pages do not need: no inline code or style, no other host, no frames.
func securityHeaders(secure bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Content-Security-Policy", ui.Policy)
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("X-Frame-Options", "DENY")
			h.Set("Referrer-Policy", "same-origin")
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
			h.Set("Cross-Origin-Resource-Policy", "same-origin")
			h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
			if secure {
				h.Set("Strict-Transport-Security", "max-age=31536000")
			}
			next.ServeHTTP(w, r)
		})
	}
}

// crossOriginProtection refuses posts that another site made a browser send.
func (s *Server) crossOriginProtection() (func(http.Handler) http.Handler, error) {
	protection := http.NewCrossOriginProtection()
	if err := protection.AddTrustedOrigin(s.BaseURL.Scheme + "://" + s.BaseURL.Host); err != nil {
		return nil, fmt.Errorf("trust the base URL: %w", err)
	}
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := page.FailureView{Status: http.StatusForbidden, Title: "This came from another site",
			Lines: []string{"Orbit takes forms only from its own pages. If you sent this from Orbit itself, open Orbit at " + s.BaseURL.String() + " and try again."}}
		if err := s.showFailure(w, r, v); err != nil {
			http.Error(w, v.Title, v.Status)
		}
	}))
	return protection.Handler, nil
}

// clientAddress believes X-Forwarded-For as far as trusted proxies wrote it.
func (s *Server) clientAddress() func(http.Handler) http.Handler {
	if len(s.TrustedProxies) == 0 {
		return middleware.ClientIPFromRemoteAddr
	}
	trusted := make([]string, len(s.TrustedProxies))
	for i, prefix := range s.TrustedProxies {
		trusted[i] = prefix.String()
	}
	return middleware.ClientIPFromXFF(trusted...)
}

// clientIP is the address of whoever sent r; the proxy's own when what it wrote cannot be read.
func clientIP(r *http.Request) string {
	if address := middleware.GetClientIP(r.Context()); address != "" {
		return address
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

// compressed sends text in gzip. Files of static/ bring their own. There is one compressor for all: the router calls
// a middleware once for each route, and each compressor makes encoders of a megabyte.
var compressed = middleware.Compress(5, "text/html", "text/csv", "application/json")

// compressedReads leaves the answers to writes as they are: they are short, and programs make many.
func compressedReads(next http.Handler) http.Handler {
	packed := compressed(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			packed.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
