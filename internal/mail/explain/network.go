package explain

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"orbit/internal/mail/ladder"
)

// Network explains an error of the network at a step: no name, no connection, no answer, no more connection.
func Network(step ladder.Name, err error, c Context) ladder.Fault {
	v := c.networkValues(step)
	v["detail"] = inline(alertText(err))
	v["versions"] = versionNames()
	return byCode(connectionEntries, networkCode(step, err, c)).fault(v)
}

func (c Context) networkValues(step ladder.Name) values {
	v := c.values()
	v["during"] = during(step)
	return v
}

// during says what was going on at a step.
func during(step ladder.Name) string {
	switch step {
	case ladder.Resolve:
		return "looking up the name"
	case ladder.Connector:
		return "reaching the network connector"
	case ladder.Gate:
		return "signing in at the network connector"
	case ladder.Connect:
		return "opening the connection"
	case ladder.TLS:
		return "agreeing on encryption"
	case ladder.Greeting:
		return "waiting for the server's greeting"
	case ladder.Hello:
		return "asking what the server offers"
	case ladder.Token:
		return "fetching the access token"
	case ladder.Auth:
		return "signing in"
	case ladder.MailFrom:
		return "naming the sender"
	case ladder.RcptTo:
		return "naming the recipient"
	case ladder.Data:
		return "sending the message"
	case ladder.Reply:
		return "waiting for the final reply"
	case ladder.Select:
		return "opening the mailbox"
	case ladder.Idle:
		return "asking for notifications"
	case ladder.Fetch:
		return "reading the mailbox"
	}
	return "talking to the server"
}

// networkCode chooses the entry. When several addresses were tried their errors are joined, and the one that
// says most wins: a refusal proves that the host is there, "unreachable" proves nothing.
func networkCode(step ladder.Name, err error, c Context) string {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dnsCode(dns)
	}
	switch {
	case errors.Is(err, context.Canceled):
		return "net_cancelled"
	case notTLS(err):
		return notTLSCode(err)
	case tlsAlert(err):
		return "tls_wanted_by_server"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "net_refused"
	case dropped(err):
		return droppedCode(step, c)
	case timedOut(err):
		return timeoutCode(step, c)
	case lateAlert(err):
		return tlsCode(err, time.Now())
	case isAny(err, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EADDRNOTAVAIL, syscall.ENETDOWN, syscall.EHOSTDOWN):
		return "net_unreachable"
	case isAny(err, syscall.EPERM, syscall.EACCES):
		return "net_forbidden_here"
	case isAny(err, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM):
		return "net_no_resources"
	case notMail(err):
		return "net_not_a_mail_server"
	}
	return "net_other"
}

func isAny(err error, errs ...error) bool {
	for _, e := range errs {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func dnsCode(err *net.DNSError) string {
	switch {
	case err.IsNotFound:
		return "net_name_unknown"
	case err.IsTimeout:
		return "net_dns_silent"
	}
	return "net_dns_failed"
}

func timedOut(err error) bool {
	var n net.Error
	return isAny(err, context.DeadlineExceeded, os.ErrDeadlineExceeded, syscall.ETIMEDOUT) ||
		errors.As(err, &n) && n.Timeout()
}

func dropped(err error) bool {
	return isAny(err, io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED)
}

// timeoutCode tells a silent network from a server that waits for TLS: on an implicit TLS port the server
// says nothing until the client has spoken.
func timeoutCode(step ladder.Name, c Context) string {
	switch step {
	case ladder.Connect, ladder.Connector, ladder.Gate, ladder.Resolve:
		return "net_connect_timeout"
	case ladder.Greeting:
		if c.Security != Implicit && expectsTLS(c.Port) {
			return "tls_wanted_by_server"
		}
		return "net_greeting_timeout"
	case ladder.TLS:
		return "tls_timeout"
	case ladder.Data, ladder.Reply:
		return "net_reply_timeout"
	case ladder.Hello, ladder.Token, ladder.Auth, ladder.MailFrom, ladder.RcptTo, ladder.Select, ladder.Idle, ladder.Fetch:
	}
	return "net_answer_timeout"
}

func droppedCode(step ladder.Name, c Context) string {
	switch step {
	case ladder.Connect, ladder.Connector, ladder.Gate, ladder.Resolve:
		return "net_reset"
	case ladder.TLS:
		return "tls_dropped"
	case ladder.Greeting:
		if c.Security != Implicit && expectsTLS(c.Port) {
			return "tls_wanted_by_server"
		}
		return "net_dropped_greeting"
	case ladder.Hello:
		return "net_dropped_ehlo"
	case ladder.Token:
		return "net_dropped_token"
	case ladder.Auth:
		return "net_dropped_auth"
	case ladder.MailFrom:
		return "net_dropped_mail_from"
	case ladder.RcptTo:
		return "net_dropped_rcpt_to"
	case ladder.Data:
		return "net_dropped_data"
	case ladder.Reply:
		return "net_dropped_reply"
	case ladder.Select, ladder.Idle, ladder.Fetch:
		return "net_dropped_mailbox"
	}
	return "net_reset"
}

// expectsTLS reports whether servers on this port speak TLS from the first byte.
func expectsTLS(port int) bool { return port == 465 || port == 993 || port == 995 }

// notTLS reports whether the peer answered a TLS hello with something else.
func notTLS(err error) bool {
	var header tls.RecordHeaderError
	return errors.As(err, &header)
}

// notTLSCode looks at the first bytes: a mail server's greeting means that only the kind of TLS is wrong.
func notTLSCode(err error) string {
	var header tls.RecordHeaderError
	if errors.As(err, &header) && mailGreeting(header.RecordHeader[:]) {
		return "tls_plain_greeting"
	}
	return "tls_not_tls"
}

func mailGreeting(first []byte) bool {
	for _, g := range []string{"220", "421", "554", "* OK", "* BYE", "* PRE", "+OK", "-ERR"} {
		if bytes.HasPrefix(first, []byte(g)) {
			return true
		}
	}
	return false
}

// lateAlert reports whether the server ended an agreed TLS connection with an alert. In TLS 1.3 the demand for a
// client certificate arrives so, when the protocol reads its greeting.
func lateAlert(err error) bool { return strings.Contains(err.Error(), "remote error: tls: ") }

// tlsAlert reports whether a plain connection was answered with a TLS alert record (type 21, version 3.x).
// Protocol libraries quote the line they could not read.
func tlsAlert(err error) bool {
	text := err.Error()
	return strings.Contains(text, "\x15\x03") || strings.Contains(text, `\x15\x03`)
}

// notMail reports whether something answered that speaks another protocol.
func notMail(err error) bool {
	text := err.Error()
	for _, sign := range []string{"HTTP/", "SSH-", "short response", "malformed response", "invalid response code"} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}
