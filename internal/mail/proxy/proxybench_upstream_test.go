package proxy_test

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
)

// upstreamPlan is what the small servers need.
type upstreamPlan struct{ CertFile, KeyFile string }

// upstreamPlace is where they are: who says that a token is good, for Dovecot; an SMTP server that forgets
// every message; an IMAP server that has nothing, to hold thousands of sessions.
type upstreamPlace struct {
	Introspection string
	SMTP, IMAP    int
}

func serveUpstream(plan upstreamPlan) (upstreamPlace, error) {
	cert, err := tls.LoadX509KeyPair(plan.CertFile, plan.KeyFile)
	if err != nil {
		return upstreamPlace{}, err
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	smtp, err := serveTLS(config, (*conn).serveSMTP)
	if err != nil {
		return upstreamPlace{}, err
	}
	imap, err := serveTLS(config, (*conn).serveIMAP)
	return upstreamPlace{Introspection: httptest.NewServer(http.HandlerFunc(introspect)).URL, SMTP: smtp, IMAP: imap}, err
}

func introspect(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"active": r.FormValue("token") == benchToken, "username": benchUser})
}

// serveTLS serves on any port until the process ends.
func serveTLS(config *tls.Config, serve func(*conn)) (port int, err error) {
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		return 0, err
	}
	go func() {
		for {
			accepted, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = accepted.Close() }()
				serve(newConn(accepted, 4<<10))
			}()
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// serveSMTP believes everything but a wrong token.
func (c *conn) serveSMTP() {
	err := c.put("220 sink.example.test ESMTP\r\n")
	for err == nil {
		var line string
		if line, err = c.line(); err != nil {
			return
		}
		switch verb, rest, _ := strings.Cut(line, " "); strings.ToUpper(verb) {
		case "EHLO":
			err = c.put("250-sink.example.test\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 AUTH XOAUTH2\r\n")
		case "AUTH":
			err = c.put(answerTo(rest, "235 2.7.0 accepted\r\n", "535 5.7.8 not that token\r\n"))
		case "DATA":
			if err = c.put("354 go on\r\n"); err == nil {
				err = c.dropMessage()
			}
		case "QUIT":
			err = errors.Join(c.put("221 2.0.0 bye\r\n"), net.ErrClosed)
		default:
			err = c.put("250 2.0.0 ok\r\n")
		}
	}
}

func (c *conn) dropMessage() error {
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if string(line) == ".\r\n" {
			return c.put("250 2.0.0 taken\r\n")
		}
	}
}

// serveIMAP signs in and then agrees to everything.
func (c *conn) serveIMAP() {
	err := c.put("* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] ready\r\n")
	for err == nil {
		var line string
		if line, err = c.line(); err != nil {
			return
		}
		tag, command, _ := strings.Cut(line, " ")
		switch verb, rest, _ := strings.Cut(command, " "); strings.ToUpper(verb) {
		case "CAPABILITY":
			err = c.put("* CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2\r\n" + tag + " OK done\r\n")
		case "AUTHENTICATE":
			err = c.put(tag + answerTo(rest, " OK welcome\r\n", " NO not that token\r\n"))
		case "LOGOUT":
			err = errors.Join(c.put("* BYE\r\n"+tag+" OK bye\r\n"), net.ErrClosed)
		default:
			err = c.put(tag + " OK done\r\n")
		}
	}
}

// answerTo chooses the reply to a sign-in.
func answerTo(signIn, yes, no string) string {
	if signIn == "XOAUTH2 "+xoauth2() {
		return yes
	}
	return no
}
