package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"orbit/internal/mail/dial"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/mailtest"
	"orbit/internal/vault"
)

// introspection says which tokens are good.
func introspection(t *testing.T, good string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"active": r.FormValue("token") == good, "username": mailtest.User})
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// at is the account for one of the ways into a Dovecot.
func at(d *mailtest.DovecotServer, p Protocol, security dial.Security) Server {
	port := map[Protocol]map[dial.Security]int{
		IMAP: {dial.Plain: d.IMAP, dial.STARTTLS: d.IMAP, dial.Implicit: d.IMAPS},
		POP3: {dial.Plain: d.POP3, dial.STARTTLS: d.POP3, dial.Implicit: d.POP3S},
	}[p][security]
	return Server{Protocol: p, Target: dial.Target{Host: "localhost", Port: port, Security: security,
		Trust: dial.Trust{Rule: dial.CustomCA, CA: d.Cert.CA}},
		Auth: Auth{Username: mailtest.User, Password: vault.NewSecret(mailtest.Password)}}
}

// direct dials 127.0.0.1.
type direct struct{}

func (direct) Dial(ctx context.Context, _ string, port int) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
}

func open(t testing.TB, server Server) *Mailbox {
	t.Helper()
	m, err := Open(t.Context(), direct{}, server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close(context.WithoutCancel(t.Context())) })
	return m
}

func mail(subject string) []byte {
	return []byte("From: ann@example.net\nSubject: " + subject + "\n\nA first line.\n.A line with a dot.\n")
}

// Every way of protection and sign-in reads the same.
func TestRealServerIsRead(t *testing.T) {
	t.Parallel()
	d := mailtest.Dovecot(t, mailtest.DovecotOptions{Introspection: introspection(t, testToken)})
	d.Deliver(t, mailtest.User, mail("one"))
	d.Deliver(t, mailtest.User, mail("two"))
	for _, p := range []Protocol{IMAP, POP3} {
		for _, security := range []dial.Security{dial.Plain, dial.STARTTLS, dial.Implicit} {
			for _, token := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %q token %t", p, security, token), func(t *testing.T) {
					t.Parallel()
					a := at(d, p, security)
					if token {
						a.Auth = Auth{Token: renewing{&source{tokens: []string{"stale", testToken}}}}
					}
					l := ladder.New(nil)
					m, err := Open(ladder.With(t.Context(), l), direct{}, a)
					if err != nil {
						t.Fatal(err)
					}
					got := strings.Join(texts(t, m, list(t, m, Cursor{})...), "\n")
					if !strings.Contains(got, "Subject: one\r\n") || !strings.Contains(got, "Subject: two\r\n") || !strings.Contains(got, "\r\n.A line with a dot.\r\n") {
						t.Errorf("%q", got)
					}
					if err := m.Close(t.Context()); err != nil {
						t.Error(err)
					}
					checkNoSecret(t, l.Steps(), "")
				})
			}
		}
	}
}

func TestRealServerRefuses(t *testing.T) {
	t.Parallel()
	d := mailtest.Dovecot(t, mailtest.DovecotOptions{Introspection: introspection(t, testToken)})
	wrong := Auth{Username: mailtest.User, Password: vault.NewSecret("wrong password")}
	for name, c := range map[string]struct {
		protocol Protocol
		auth     Auth
		folder   string
		step     ladder.Name
		code     string
	}{
		"wrong password, IMAP": {IMAP, wrong, "", ladder.Auth, "imap_authentication_failed"},
		"wrong password, POP3": {POP3, wrong, "", ladder.Auth, "pop3_AUTH"},
		"bad token, IMAP":      {IMAP, Auth{Token: tokens("bad")}, "", ladder.Auth, "imap_token_refused"},
		"bad token, POP3":      {POP3, Auth{Token: tokens("bad")}, "", ladder.Auth, "pop3_token_refused"},
		"no folder":            {IMAP, Auth{}, "Archivé & more", ladder.Select, "imap_folder_refused"},
	} {
		a := at(d, c.protocol, dial.Implicit)
		if c.auth != (Auth{}) {
			a.Auth = c.auth
		}
		a.Folder = c.folder
		_, err := Open(t.Context(), direct{}, a)
		var e *ladder.Error
		if !errors.As(err, &e) || e.Step != c.step || e.Fault.Code != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Mechanisms for passwords, one at a time.
func TestRealServerTakesEachMechanism(t *testing.T) {
	t.Parallel()
	for _, mechanism := range []string{"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "APOP"} {
		t.Run(mechanism, func(t *testing.T) {
			t.Parallel()
			d := mailtest.Dovecot(t, mailtest.DovecotOptions{Mechanisms: []string{mechanism}})
			for _, p := range []Protocol{IMAP, POP3} {
				if mechanism == "APOP" && p == IMAP {
					continue
				}
				l := ladder.New(nil)
				m, err := Open(ladder.With(t.Context(), l), direct{}, at(d, p, dial.Implicit))
				if err != nil {
					t.Errorf("%s: %v", p, err)
					continue
				}
				for _, s := range l.Steps() {
					if s.Name == ladder.Auth && !strings.Contains(s.Result, mechanism) {
						t.Errorf("%s: signed in by %s", p, s.Result)
					}
				}
				_ = m.Close(t.Context())
			}
		})
	}
}

func TestRealIdleWakesWithinASecond(t *testing.T) {
	t.Parallel()
	d := mailtest.Dovecot(t, mailtest.DovecotOptions{})
	m := open(t, at(d, IMAP, dial.Implicit))
	cursor := m.State().Cursor()
	// Slow machines deliver late; what counts is the time from the delivery to the news, the best of three.
	best := time.Hour
	for n := range 3 {
		done := make(chan time.Time, 1)
		go func() {
			if err := m.Wait(t.Context()); err != nil {
				t.Error(err)
			}
			done <- time.Now()
		}()
		d.Deliver(t, mailtest.User, mail("new"))
		delivered := time.Now()
		best = min(best, (<-done).Sub(delivered))
		refs := list(t, m, cursor)
		if len(refs) != n+1 {
			t.Fatalf("%+v", refs)
		}
		for message, err := range m.Fetch(t.Context(), refs[n]) {
			if err != nil || time.Since(message.Received) > time.Hour {
				t.Errorf("%+v %v", message, err)
			}
		}
	}
	if best > time.Second {
		t.Errorf("the news took %s", best)
	}
}

func TestRealServerDeletesWhatItIsTold(t *testing.T) {
	t.Parallel()
	for _, p := range []Protocol{IMAP, POP3} {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			d := mailtest.Dovecot(t, mailtest.DovecotOptions{})
			for _, subject := range []string{"one", "two", "three"} {
				d.Deliver(t, mailtest.User, mail(subject))
			}
			m := open(t, at(d, p, dial.Implicit))
			refs := list(t, m, Cursor{})
			if err := errors.Join(m.Delete(t.Context(), Ref{ID: refs[1].ID}, Ref{ID: "4711"}), m.Close(t.Context())); err != nil {
				t.Fatal(err)
			}
			if got := subjects(t, open(t, at(d, p, dial.STARTTLS))); got != "one three" {
				t.Errorf("left: %s", got)
			}
		})
	}
}

func subjects(t *testing.T, m *Mailbox) string {
	t.Helper()
	var all []string
	for _, text := range texts(t, m, list(t, m, Cursor{})...) {
		_, rest, _ := strings.Cut(text, "Subject: ")
		subject, _, _ := strings.Cut(rest, "\r\n")
		all = append(all, subject)
	}
	return strings.Join(all, " ")
}

// Reading does not even set \Seen; another client's \Deleted stays its own.
func TestRealMailboxStaysAsItWas(t *testing.T) {
	t.Parallel()
	d := mailtest.Dovecot(t, mailtest.DovecotOptions{})
	for _, subject := range []string{"one", "two", "three"} {
		d.Deliver(t, mailtest.User, mail(subject))
	}
	other := bare(t, d)
	store := imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}, Silent: true}
	if err := other.Store(imap.SeqSetNum(1), &store, nil).Close(); err != nil {
		t.Fatal(err)
	}
	m := open(t, at(d, IMAP, dial.Implicit))
	refs := list(t, m, Cursor{})
	if len(texts(t, m, refs...)) != 3 {
		t.Error("not all were read")
	}
	if err := m.MarkSeen(t.Context(), refs[1]); err != nil {
		t.Error(err)
	}
	m.visit.box.(*imapBox).offer = offer{} // as if the server had no UIDPLUS
	if err := m.Delete(t.Context(), refs[2]); err != nil {
		t.Error(err)
	}
	if err := other.Noop().Wait(); err != nil { // learns what has gone
		t.Fatal(err)
	}
	flags, err := other.Fetch(imap.SeqSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{Flags: true}).Collect()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, message := range flags {
		for _, flag := range message.Flags {
			if flag != "\\Recent" {
				got = append(got, fmt.Sprint(message.SeqNum, flag))
			}
		}
	}
	if want := "1\\Deleted 2\\Seen"; strings.Join(got, " ") != want || len(flags) != 2 {
		t.Errorf("flags %q, want %s", got, want)
	}
}

// bare is go-imap itself.
func bare(t testing.TB, d *mailtest.DovecotServer) *imapclient.Client {
	t.Helper()
	client := bareOver(t, d, dial.Plain)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func trusting(t testing.TB, d *mailtest.DovecotServer) *tls.Config {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(d.Cert.CA)) {
		t.Fatal("no authority")
	}
	return &tls.Config{RootCAs: pool, ServerName: "localhost"}
}

// A server that goes on in a folder that is no more says nothing by itself.
func TestRealUIDValidityChangeWhileWaiting(t *testing.T) {
	t.Parallel()
	d := mailtest.Dovecot(t, mailtest.DovecotOptions{})
	admin := bare(t, d)
	if err := admin.Create("Work", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	a := at(d, IMAP, dial.STARTTLS)
	a.Folder, a.Timeouts.Renew = "Work", 100*time.Millisecond
	m := open(t, a)
	for _, command := range []*imapclient.Command{admin.Delete("Work"), admin.Create("Work", nil)} {
		if err := command.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := m.Wait(ctx); !errors.Is(err, ErrRenumbered) {
		t.Errorf("%v", err)
	}
}

func TestRealUIDValidityChange(t *testing.T) {
	t.Parallel()
	d := mailtest.Dovecot(t, mailtest.DovecotOptions{})
	admin := bare(t, d)
	fill := func() Cursor {
		t.Helper()
		if err := admin.Create("Work", nil).Wait(); err != nil {
			t.Fatal(err)
		}
		text := string(mail("one"))
		command := admin.Append("Work", int64(len(text)), nil)
		if _, err := io.WriteString(command, text); err != nil {
			t.Fatal(err)
		}
		if err := command.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := command.Wait(); err != nil {
			t.Fatal(err)
		}
		a := at(d, IMAP, dial.STARTTLS)
		a.Folder = "Work"
		m := open(t, a)
		return m.State().Cursor()
	}
	before := fill()
	if err := admin.Delete("Work").Wait(); err != nil {
		t.Fatal(err)
	}
	if after := fill(); after.UIDValidity == before.UIDValidity {
		t.Fatal("the server has not numbered anew")
	}
	a := at(d, IMAP, dial.STARTTLS)
	a.Folder = "Work"
	m := open(t, a)
	if m.State().Continues(before) || len(list(t, m, before)) != 1 {
		t.Error("the old cursor was taken for a new one")
	}
}

// Several visits at once get in nobody's way.
func TestRealServerManyVisits(t *testing.T) {
	t.Parallel()
	d := mailtest.Dovecot(t, mailtest.DovecotOptions{})
	d.Deliver(t, mailtest.User, mail("one"))
	var visits sync.WaitGroup
	for range 8 {
		visits.Go(func() {
			m, err := Open(t.Context(), direct{}, at(d, IMAP, dial.Implicit))
			if err != nil {
				t.Error(err)
				return
			}
			for _, err := range m.New(t.Context(), Cursor{}) {
				if err != nil {
					t.Error(err)
				}
			}
			_ = m.Close(t.Context())
		})
	}
	visits.Wait()
}
