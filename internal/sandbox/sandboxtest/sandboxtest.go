// Package sandboxtest starts a sandbox for a test and answers its consent pages.
package sandboxtest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"orbit/internal/sandbox"
)

// New starts a sandbox that ends with the test.
func New(t testing.TB, o sandbox.Options) *sandbox.Sandbox {
	t.Helper()
	s, err := sandbox.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("run the sandbox: %v", err)
		}
	})
	return s
}

// TLS is a client's configuration that trusts the sandbox.
func TLS(s *sandbox.Sandbox) *tls.Config {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(s.Certificate.CA))
	return &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS12}
}

// Accept does what a person does at the consent page: it signs in as mailbox and accepts. It returns the address
// that the browser is sent to, and does not go there.
func Accept(t testing.TB, authorise, mailbox string) *url.URL {
	t.Helper()
	return answer(t, authorise, url.Values{"mailbox": {mailbox}, "answer": {"accept"}})
}

// Decline presses the other button.
func Decline(t testing.TB, authorise string) *url.URL {
	t.Helper()
	return answer(t, authorise, url.Values{"answer": {"decline"}})
}

// AcceptDevice enters the code of a device flow and accepts as mailbox.
func AcceptDevice(t testing.TB, s *sandbox.Sandbox, userCode, mailbox string) {
	t.Helper()
	device(t, s, userCode, url.Values{"mailbox": {mailbox}, "answer": {"accept"}})
}

// DeclineDevice enters the code of a device flow and declines.
func DeclineDevice(t testing.TB, s *sandbox.Sandbox, userCode string) {
	t.Helper()
	device(t, s, userCode, url.Values{"answer": {"decline"}})
}

func device(t testing.TB, s *sandbox.Sandbox, userCode string, form url.Values) {
	t.Helper()
	at := s.Address(s.Ports.Identity)
	page := do(t, post(t, "http://"+at+"/device", url.Values{"code": {userCode}}))
	if got := submit(t, "http://"+at, page, form); got.StatusCode != http.StatusOK {
		t.Fatalf("the consent page answered %s", got.Status)
	}
}

func answer(t testing.TB, authorise string, form url.Values) *url.URL {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, authorise, nil)
	if err != nil {
		t.Fatal(err)
	}
	page := do(t, request)
	if to := page.Header.Get("Location"); to != "" { // sent back without a question
		return parse(t, to)
	}
	got := submit(t, request.URL.Scheme+"://"+request.URL.Host, page, form)
	if got.StatusCode != http.StatusSeeOther {
		t.Fatalf("the consent page answered %s:\n%s", got.Status, body(t, got))
	}
	return parse(t, got.Header.Get("Location"))
}

var (
	action = regexp.MustCompile(`action="([^"]+/consent)"`)
	visit  = regexp.MustCompile(`name="visit" value="([^"]+)"`)
)

func submit(t testing.TB, site string, page *http.Response, form url.Values) *http.Response {
	t.Helper()
	text := body(t, page)
	to, name := action.FindStringSubmatch(text), visit.FindStringSubmatch(text)
	if to == nil || name == nil {
		t.Fatalf("%s: no consent page:\n%s", page.Status, text)
	}
	form.Set("visit", name[1])
	return do(t, post(t, site+to[1], form))
}

func post(t testing.TB, address string, form url.Values) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return request
}

// do sends a request and does not follow where the answer points.
func do(t testing.TB, request *http.Request) *http.Response {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

func body(t testing.TB, response *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func parse(t testing.TB, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
