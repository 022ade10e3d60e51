package connector

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"orbit/internal/mail/ladder"
)

// says is a peer that reads the request and says a text.
func says(text string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = io.WriteString(conn, text)
	}
}

// socksPeer agrees to no sign-in and then says a reply.
func socksPeer(reply string) func(net.Conn) {
	return func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = io.WriteString(conn, "\x05\x00")
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = io.WriteString(conn, reply)
	}
}

func TestEveryFaultOfAConnectorIsExplained(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i, c := range []struct {
		name   string
		kind   Kind
		script func(net.Conn)
		code   string
		step   ladder.Name
	}{
		{"closes at once", KindSOCKS5, func(net.Conn) {}, "connector_dropped", ladder.Gate},
		{"an HTTP proxy", KindSOCKS5, says("HTTP/1.1 400 Bad Request\r\n\r\n"), "socks5_not_socks", ladder.Gate},
		{"a mail server", KindSOCKS5, says("220 mail ESMTP\r\n"), "socks5_not_socks", ladder.Gate},
		{"SOCKS4", KindSOCKS5, says("\x00\x5b"), "socks5_not_socks", ladder.Gate},
		{"wants a password", KindSOCKS5, says("\x05\xff"), "socks5_method", ladder.Gate},
		{"chooses what was not offered", KindSOCKS5, says("\x05\x02"), "socks5_malformed", ladder.Gate},
		{"half a greeting", KindSOCKS5, says("\x05"), "connector_dropped", ladder.Gate},
		{"general failure", KindSOCKS5, socksPeer("\x05\x01\x00\x01\x00\x00\x00\x00\x00\x00"), "socks5_1", ladder.Connect},
		{"not allowed, and no more than that", KindSOCKS5, socksPeer("\x05\x02"), "socks5_2", ladder.Connect},
		{"network unreachable", KindSOCKS5, socksPeer("\x05\x03"), "socks5_3", ladder.Connect},
		{"host unreachable", KindSOCKS5, socksPeer("\x05\x04"), "socks5_4", ladder.Connect},
		{"refused", KindSOCKS5, socksPeer("\x05\x05"), "socks5_5", ladder.Connect},
		{"TTL expired", KindSOCKS5, socksPeer("\x05\x06"), "socks5_6", ladder.Connect},
		{"no CONNECT", KindSOCKS5, socksPeer("\x05\x07"), "socks5_7", ladder.Connect},
		{"no names", KindSOCKS5, socksPeer("\x05\x08"), "socks5_8", ladder.Connect},
		{"a number of its own", KindSOCKS5, socksPeer("\x05\x5b"), "socks5_other", ladder.Connect},
		{"closes after the request", KindSOCKS5, socksPeer(""), "connector_dropped_request", ladder.Connect},
		{"an unknown type of address", KindSOCKS5, socksPeer("\x05\x00\x00\x09"), "socks5_malformed", ladder.Connect},
		{"half a reply", KindSOCKS5, socksPeer("\x05\x00\x00\x03\xff"), "connector_dropped_request", ladder.Connect},

		{"closes at once", KindHTTPConnect, func(net.Conn) {}, "connector_dropped_request", ladder.Connect},
		{"an SSH server", KindHTTPConnect, says("SSH-2.0-OpenSSH_9.2\r\n"), "http_connect_not_http", ladder.Connect},
		{"a SOCKS proxy", KindHTTPConnect, says("\x05\xff"), "http_connect_not_http", ladder.Connect},
		{"a web server", KindHTTPConnect, says("HTTP/1.1 405 Method Not Allowed\r\n\r\n"), "http_connect_no_proxy", ladder.Connect},
		{"forbids", KindHTTPConnect, says("HTTP/1.1 403 Forbidden\r\n\r\n<html>"), "http_connect_403", ladder.Connect},
		{"wants a password", KindHTTPConnect, says("HTTP/1.1 407 Auth\r\nProxy-Authenticate: Basic realm=x\r\n\r\n"), "http_connect_407_missing", ladder.Connect},
		{"wants Kerberos", KindHTTPConnect, says("HTTP/1.1 407 Auth\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n\r\n"), "http_connect_407_scheme", ladder.Connect},
		{"bad gateway", KindHTTPConnect, says("HTTP/1.1 502 Bad Gateway\r\n\r\n"), "http_connect_502", ladder.Connect},
		{"unavailable", KindHTTPConnect, says("HTTP/1.1 503 Service Unavailable\r\n\r\n"), "http_connect_503", ladder.Connect},
		{"gateway timeout", KindHTTPConnect, says("HTTP/1.0 504 Gateway Timeout\n\n"), "http_connect_504", ladder.Connect},
		{"a redirect", KindHTTPConnect, says("HTTP/1.1 302 Found\r\n\r\n"), "http_connect_other", ladder.Connect},
		{"no status", KindHTTPConnect, says("HTTP/1.1 what\r\n\r\n"), "http_connect_malformed", ladder.Connect},
		{"a header without end", KindHTTPConnect, says("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 20_000)), "http_connect_malformed", ladder.Connect},
		{"interim answers without end", KindHTTPConnect, says(strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 9)), "http_connect_malformed", ladder.Connect},
	} {
		t.Run(string(c.kind)+" "+c.name, func(t *testing.T) {
			t.Parallel()
			connector := Connector{ID: int64(1000 + i), Settings: Settings{
				Name: "Office", Kind: c.kind, Address: "127.0.0.1", Port: peer(t, c.script), Active: true,
			}}
			l := ladder.New(nil)
			_, err := h.way(connector).Dial(ladder.With(t.Context(), l), "mail.example.com", 587)
			fault := faultOf(t, err)
			if fault.Fault.Code != c.code || fault.Step != c.step {
				t.Errorf("want %s at %s, got %v", c.code, c.step, err)
			}
			if fault.Fault.Cause == "" || fault.Fault.Remedy == "" || fault.Fault.Who == "" || strings.Contains(fault.Fault.Cause, "{") {
				t.Errorf("%+v", fault.Fault)
			}
			if steps := l.Steps(); len(steps) == 0 || steps[len(steps)-1].Fault == nil || !steps[len(steps)-1].Done {
				t.Errorf("the ladder does not say it: %+v", steps)
			}
		})
	}
}

func TestReachingAConnectorFails(t *testing.T) {
	t.Parallel()
	s, resolver, dialled := service(t, "", "", []string{"169.254.169.254"})
	for _, c := range []struct {
		name, address, code string
		open, lookup        error
	}{
		{"link-local", "gate.example.com", "destination_forbidden", nil, nil},
		{"loopback", "127.0.0.1", "destination_not_allowed", nil, nil},
		{"unknown name", "gate.example.com", "connector_name_unknown", nil, &net.DNSError{IsNotFound: true}},
		{"name server is silent", "gate.example.com", "connector_dns_failed", nil, &net.DNSError{IsTimeout: true}},
	} {
		resolver.err = c.lookup
		_, err := s.way(Connector{Settings: Settings{Name: "Office", Kind: KindSOCKS5, Address: c.address, Port: 1080, Active: true}}).
			Dial(t.Context(), "mail.example.com", 587)
		if fault := faultOf(t, err); fault.Fault.Code != c.code || fault.Step != ladder.Connector {
			t.Errorf("%s: want %s, got %v", c.name, c.code, err)
		}
	}
	if len(*dialled) != 0 {
		t.Errorf("dialled %v", *dialled)
	}
	h := newHouse(t)
	if _, _, err := h.dial(h.register(KindSOCKS5, closedPort, "", ""), "mail.example.com", 587); faultOf(t, err).Fault.Code != "connector_refused" {
		t.Errorf("%v", err)
	}
}

// Beyond a connector only the name and the literal address can be judged; both are, before the connector hears
// of them.
func TestWhatTheRulesForbidIsAskedOfNoConnector(t *testing.T) {
	t.Parallel()
	s, _, dialled := service(t, "", "bad.example.com, 10.0.0.0/8, mail.example.com:25", []string{"192.0.2.1"})
	way := s.way(Connector{Settings: Settings{Name: "Office", Kind: KindHTTPConnect, Address: "192.0.2.1", Port: 3128, Active: true}})
	for host, code := range map[string]string{
		"169.254.169.254": "destination_forbidden", "::ffff:169.254.169.254": "destination_forbidden", "[fd00:ec2::254]": "destination_forbidden",
		"metadata.google.internal": "destination_forbidden", "2852039166": "host_invalid", "0xa9fea9fe": "destination_forbidden",
		"127.1": "host_invalid", "example.0x7f": "destination_forbidden", "127.0.0.1": "destination_not_allowed",
		"localhost": "destination_not_allowed", "foo.localhost": "destination_not_allowed", "10.1.2.3": "destination_not_allowed",
		"bad.example.com": "destination_not_allowed", "BAD.example.com.": "destination_not_allowed", "mail.example.com": "destination_not_allowed",
		"not a host": "host_invalid", "": "host_invalid",
	} {
		_, err := way.Dial(t.Context(), host, 25)
		if fault := faultOf(t, err); fault.Fault.Code != code {
			t.Errorf("%s: want %s, got %v", host, code, err)
		}
	}
	if len(*dialled) != 0 {
		t.Errorf("dialled %v", *dialled)
	}
}

// The name travels as it was written, and what the server says at once is not swallowed with the answer.
func TestNamesTravelToTheFarEnd(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	asked := make(chan string, 2)
	socks := peer(t, func(conn net.Conn) {
		b := make([]byte, 300)
		_, _ = conn.Read(b)
		_, _ = io.WriteString(conn, "\x05\x00")
		n, _ := conn.Read(b)
		asked <- string(b[3:n])
		_, _ = io.WriteString(conn, "\x05\x00\x00\x03\x04gate\x00\x00220 far.example.com ESMTP\r\n")
		_, _ = io.Copy(conn, conn)
	})
	proxy := peer(t, func(conn net.Conn) {
		r, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			return
		}
		asked <- r.Host
		_, _ = io.WriteString(conn, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n220 far.example.com ESMTP\r\n")
		_, _ = io.Copy(conn, conn)
	})
	for _, c := range []struct {
		kind Kind
		port int
		want string
	}{
		{KindSOCKS5, socks, "\x03\x15xn--mller-kva.example\x02\x4b"},
		{KindHTTPConnect, proxy, "xn--mller-kva.example:587"},
	} {
		conn, steps, err := h.dial(h.register(c.kind, c.port, "", ""), "Müller.example", 587)
		if err != nil {
			t.Fatal(err)
		}
		converses(t, conn)
		if got := <-asked; got != c.want {
			t.Errorf("%s: asked for %q", c.kind, got)
		}
		last := steps[len(steps)-1]
		if len(last.Transcript) == 0 || !strings.Contains(last.Transcript[0].Text, "judge the name only") {
			t.Errorf("the ladder does not say what could not be checked: %+v", last)
		}
	}
}

func TestPeersThatSayNothingAreNotWaitedForForever(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind  Kind
		after string // what the peer says before it falls silent
		code  string
	}{
		{KindSOCKS5, "", "connector_silent"},
		{KindSOCKS5, "\x05\x00", "connector_far_timeout"},
		{KindHTTPConnect, "HTTP/1.1 200", "connector_far_timeout"},
		{KindSSH, "", "connector_silent"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := silent(c.after)
			_, err := s.way(Connector{Settings: Settings{Name: "Office", Kind: c.kind, Address: "192.0.2.1", Port: 1, Active: true}}).
				Dial(t.Context(), "mail.example.com", 587)
			if fault := faultOf(t, err); fault.Fault.Code != c.code {
				t.Errorf("%s: want %s, got %v", c.kind, c.code, err)
			}
		})
	}
}

func TestCancellingEndsTheDialogue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := silent("")
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		begun := time.Now()
		_, err := s.way(Connector{Settings: Settings{Name: "Office", Kind: KindSOCKS5, Address: "192.0.2.1", Port: 1, Active: true}}).
			Dial(ctx, "mail.example.com", 587)
		if fault := faultOf(t, err); fault.Fault.Code != "connector_cancelled" || !errors.Is(err, context.Canceled) || time.Since(begun) != time.Second {
			t.Errorf("after %s: %v", time.Since(begun), err)
		}
	})
}
