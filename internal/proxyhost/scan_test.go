package proxyhost

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/smtp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"orbit/internal/credential"
	"orbit/internal/mail/proxy"
	"orbit/internal/vault"
)

// echo is an SMTP server that answers everything it doesn't know with what it was told, as some do.
func echo(t *testing.T) (port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go repeat(conn)
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

func repeat(conn net.Conn) {
	defer conn.Close()
	fmt.Fprint(conn, "220 echo.example ESMTP\r\n")
	in := bufio.NewScanner(conn)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		switch line := in.Text(); {
		case strings.HasPrefix(line, "EHLO"):
			fmt.Fprint(conn, "250-echo.example\r\n250 AUTH XOAUTH2\r\n")
		case line == "AUTH XOAUTH2":
			fmt.Fprint(conn, "334 \r\n")
		default:
			fmt.Fprintf(conn, "502 5.5.2 I do not know %s\r\n", line)
		}
	}
}

// pieces are what a secret must not leave behind: parts of it, and of it in base64.
func pieces(secret string) []string {
	const length = 16
	var all []string
	for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte("x" + secret))} {
		for i := 0; i+length <= len(form); i += length / 2 {
			all = append(all, form[i:i+length])
		}
	}
	return all
}

func (r *rig) stored(column string, place vault.Binding) string {
	r.t.Helper()
	var sealed []byte
	r.must(r.pool.QueryRow(r.ctx, "select "+column+" from oauth_grant").Scan(&sealed))
	opened, err := r.box.Open(sealed, place)
	r.must(err)
	return opened.Reveal()
}

// secrets are everything that must not be seen, by what it is.
func (r *rig) secrets() map[string]string {
	grant, err := r.oauth.Grant(r.ctx, mailbox)
	r.must(err)
	access, err := r.oauth.Token(r.ctx, mailbox, credential.Self)
	r.must(err)
	return map[string]string{
		"the local password": password,
		"a wrong password":   wrongPassword,
		"the access token":   access.Reveal(),
		"the refresh token": r.stored("sealed_refresh", vault.Binding{
			Table: "oauth_grant", Row: grant.ID, Destination: "refresh token for " + r.mail.Endpoints.Token}),
		"the client secret": r.client.Secrets[0],
	}
}

const wrongPassword = "another password, typed by mistake"

// everything is what people and programs can see of the proxy: logs, events, states, metrics, the trail.
func (r *rig) everything() string {
	var all strings.Builder
	all.WriteString(r.log.String())
	all.WriteString(r.metrics())
	statuses, err := r.Statuses(r.ctx)
	r.must(err)
	r.must(json.NewEncoder(&all).Encode(statuses))
	for _, table := range []string{"proxy_event", "proxy_listener", "proxy_listener_state", "audit_entry", "process"} {
		rows, err := r.pool.Query(r.ctx, "select t::text from "+table+" t")
		r.must(err)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		r.must(err)
		all.WriteString(strings.Join(lines, "\n"))
	}
	var fault string
	r.must(r.pool.QueryRow(r.ctx, "select coalesce(fault::text, '') from oauth_grant").Scan(&fault))
	all.WriteString(fault)
	return all.String()
}

func TestNoSecretIsEverSeen(t *testing.T) {
	r, l := ready(t, proxy.IMAP)
	s := Settings{Protocol: proxy.SMTP, LocalPort: freePort(t), ServerAddress: "127.0.0.1", ServerPort: echo(t)}
	chatty := r.listen(s)
	r.awaitState(chatty.ID, proxy.Running)
	r.must(r.login(l, mailbox, password))
	if err := r.login(l, mailbox, wrongPassword); err == nil {
		t.Error("a wrong password opens the mailbox")
	}
	access, err := r.oauth.Token(r.ctx, mailbox, credential.Self)
	r.must(err)
	if _, err := r.Prove(r.ctx, mailbox, access); err != nil { // IMAP says yes, the echo says no
		t.Error(err)
	}
	err = smtp.SendMail(chatty.Local(), smtp.PlainAuth("", mailbox, password, "127.0.0.1"), mailbox, []string{mailbox}, nil)
	if err == nil {
		t.Error("the echo accepts a token")
	}
	heard := err.Error()
	r.awaitEvent("refused", "I do not know [secret]")
	r.awaitEvent("not_proved", "[secret]")
	r.until("the refusal is explained", func() bool { return len(r.eventsOf("not_proved")) == 2 })
	r.until("the failure is in the state", func() bool { return len(r.status(chatty.ID).Processes[0].Failures) > 0 })
	secrets := r.secrets()
	seen := heard + r.everything()
	for what, secret := range secrets {
		for _, piece := range pieces(secret) {
			if strings.Contains(seen, piece) {
				t.Errorf("%s is seen: %q", what, piece)
				break
			}
		}
	}
}
