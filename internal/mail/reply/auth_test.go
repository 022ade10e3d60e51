package reply

import (
	"strings"
	"testing"
)

func readHead(t *testing.T, o Options, lines ...string) Message {
	t.Helper()
	m, err := Read(strings.NewReader(strings.Join(lines, "\r\n")+"\r\n\r\nhello\r\n"), o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestOnlyTheConfiguredServerIsBelieved(t *testing.T) {
	t.Parallel()
	const from = "From: Ana <ana@example.org>"
	const pass = "Authentication-Results: mx.example.com; spf=pass smtp.mailfrom=ana@example.org; dkim=pass header.d=example.org; dmarc=pass header.from=example.org"
	const received = "Received: from a by mx.example.com; Tue, 4 Mar 2025 10:00:00 +0000"
	for _, c := range []struct {
		name, id  string
		head      []string
		authentic bool
		dmarc     string
	}{
		{"pass", "mx.example.com", []string{pass, received, from}, true, "pass"},
		{"id in another case", "MX.example.COM", []string{pass, from}, true, "pass"},
		{"no id configured", "", []string{pass, from}, false, ""},
		{"another server", "mx.example.net", []string{pass, from}, false, ""},
		{"below our own fail", "mx.example.com", []string{"Authentication-Results: mx.example.com; dmarc=fail header.from=example.org", received, pass, from}, false, "fail"},
		{"below our own without dmarc", "mx.example.com", []string{"Authentication-Results: mx.example.com; spf=pass", received, pass, from}, false, ""},
		{"two fields of one host", "mx.example.com", []string{"Authentication-Results: mx.example.com; dmarc=pass header.from=example.org", "DKIM-Filter: x", "Authentication-Results: mx.example.com; dkim=pass header.d=example.org", received, from}, true, "pass"},
		{"pass and fail side by side", "mx.example.com", []string{pass, "Authentication-Results: mx.example.com; dmarc=fail", from}, false, "fail"},
		{"above later hops", "mx.example.com", []string{received, received, pass, received, from}, true, "pass"},
		{"another domain", "mx.example.com", []string{strings.ReplaceAll(pass, "header.from=example.org", "header.from=evil.example.net"), from}, false, "pass"},
		{"two addresses in From", "mx.example.com", []string{pass, "From: Ana <ana@example.org>, x@evil.example.net"}, false, "pass"},
		{"two From fields", "mx.example.com", []string{pass, from, from}, false, "pass"},
		{"no From", "mx.example.com", []string{pass, "To: x@example.com"}, false, "pass"},
		{"version and comments", "mx.example.com", []string{`Authentication-Results: "mx.example.com" 1 (a; dmarc=fail); dmarc = pass (p=none; x) reason="all; dmarc=fail" header.from = example.org`, from}, true, "pass"},
		{"none", "mx.example.com", []string{"Authentication-Results: mx.example.com; none", from}, false, ""},
		{"Microsoft 365", NoAuthservID, []string{received, "Authentication-Results: spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=example.org; dkim=pass (signature was verified) header.d=example.org;dmarc=pass action=none header.from=example.org;compauth=pass reason=100", from}, true, "pass"},
		{"Microsoft 365, forged below", NoAuthservID, []string{"Authentication-Results: spf=fail; dmarc=fail header.from=example.org", "Authentication-Results: dmarc=pass header.from=example.org", from}, false, "fail"},
		{"Microsoft 365, another server on top", NoAuthservID, []string{pass, "Authentication-Results: dmarc=pass header.from=example.org", from}, false, ""},
		{"quoted semicolon", "mx.example.com", []string{`Authentication-Results: mx.example.com; spf=pass smtp.mailfrom="x; dmarc=pass"@evil.example.net; dmarc=fail`, from}, false, "fail"},
	} {
		m := readHead(t, Options{AuthservID: c.id}, c.head...)
		if m.Authentic() != c.authentic || m.Auth.Verdict("dmarc") != c.dmarc {
			t.Errorf("%s: authentic %v, dmarc %q: %+v", c.name, m.Authentic(), m.Auth.Verdict("dmarc"), m.Auth)
		}
	}
}

func TestOneGoodSignatureIsEnough(t *testing.T) {
	t.Parallel()
	m := readHead(t, Options{AuthservID: "mx"}, "Authentication-Results: mx; dkim=fail header.d=list.example.org; dkim=pass header.d=example.org header.s=a; spf=softfail")
	if m.Auth.Verdict("dkim") != "pass" || m.Auth.Verdict("spf") != "softfail" || m.Auth.Verdict("arc") != "" {
		t.Errorf("%+v", m.Auth)
	}
	if got := m.Auth.Results[1].Props["header.d"]; got != "example.org" {
		t.Errorf("header.d %q", got)
	}
}
