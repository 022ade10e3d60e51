package app_test

import (
	"context"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/app"
	"orbit/internal/config"
	"orbit/internal/identity"
	"orbit/internal/postgres/pgtest"
	"orbit/internal/vault"
	"orbit/web/browsertest"
)

func TestMain(m *testing.M) { browsertest.Main(m) }

const password = "seven lamps over the river"

// house is the whole of Orbit on a database of its own, with its background work running.
type house struct {
	*app.Orbit
	url      string
	listener net.Listener
}

func newHouse(t testing.TB) *house {
	t.Helper()
	h := assemble(t)
	h.live(t)
	return h
}

// live serves until the test ends.
func (h *house) live(t testing.TB) {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(ctx, h.listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
}

// assemble builds the services on a database of their own; nothing runs yet.
func assemble(t testing.TB) *house {
	t.Helper()
	return assembleOn(t, pgtest.New(t))
}

func assembleOn(t testing.TB, pool *pgxpool.Pool) *house {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	c := config.Config{
		KeysetFile:      filepath.Join(t.TempDir(), "keyset.key"),
		ConnectorListen: "127.0.0.1:0",
		BaseURL:         &url.URL{Scheme: "http", Host: listener.Addr().String()},

		AllowedDestinations: []string{"127.0.0.0/8"},
	}
	orbit, err := app.Assemble(t.Context(), c, pool, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return &house{Orbit: orbit, url: c.BaseURL.String(), listener: listener}
}

// somebody registers a user who can sign in.
func (h *house) somebody(t testing.TB, name string, role identity.Role) {
	t.Helper()
	_, err := h.Identity.CreateUser(t.Context(), identity.User{
		Username: name, FullName: "Ana Lima", Email: name + "@example.com", Role: role,
		TimeZone: "America/Sao_Paulo", Language: "en", Active: true,
	}, vault.NewSecret(password))
	if err != nil {
		t.Fatal(err)
	}
}

// enter opens a browser in which an administrator is signed in.
func (h *house) enter(t *testing.T) *browsertest.Tab {
	t.Helper()
	h.somebody(t, "ana", identity.Administrator)
	tab := browsertest.New(t, h.url)
	tab.Open("/login")
	fill(tab, "username", "ana", "password", password)
	tab.Follow(submit)
	return tab
}

// fill types into fields by their names.
func fill(tab *browsertest.Tab, pairs ...string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		tab.Type(`main [name="`+pairs[i]+`"], dialog [name="`+pairs[i]+`"]`, pairs[i+1])
	}
}

// choose sets a Yes/No switch or a group of radio buttons. The summary beside the form may move it just then, so it waits
// until the choice is made.
func choose(tab *browsertest.Tab, name, value string) {
	input := `input[name="` + name + `"][value="` + value + `"]`
	tab.See(`label:has(> ` + input + `)`)
	tab.Eval("document.querySelector(`" + input + "`).click(), ''")
	tab.Until("document.querySelector(`" + input + "`).checked")
}

// submit presses the button of the form in the page, submitWindow that of the window over it.
const (
	submit       = `main form .form-foot button[type="submit"]`
	submitWindow = `dialog form .form-foot button[type="submit"]`
)
