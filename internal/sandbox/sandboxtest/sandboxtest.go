// Package sandboxtest starts a sandbox for a test and answers its consent pages.
package sandboxtest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
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
	site := "http://" + s.Address(s.Ports.Identity)
	consent := do(t, post(t, site+"/device", url.Values{"code": {userCode}}))
	if done := submit(t, site, consent, form); done.status != http.StatusOK {
		t.Fatalf("the consent page answered %d:\n%s", done.status, done.text)
	}
}

func answer(t testing.TB, authorise string, form url.Values) *url.URL {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, authorise, nil)
	if err != nil {
		t.Fatal(err)
	}
	consent := do(t, request)
	if consent.location != nil { // sent back without a question
		return consent.location
	}
	done := submit(t, request.URL.Scheme+"://"+request.URL.Host, consent, form)
	if done.location == nil {
		t.Fatalf("the consent page answered %d:\n%s", done.status, done.text)
	}
	return done.location
}

var (
	action = regexp.MustCompile(`action="([^"]+/consent)"`)
	visit  = regexp.MustCompile(`name="visit" value="([^"]+)"`)
)

// submit sends the form of a consent page.
func submit(t testing.TB, site string, consent page, form url.Values) page {
	t.Helper()
	to, name := action.FindStringSubmatch(consent.text), visit.FindStringSubmatch(consent.text)
	if to == nil || name == nil {
		t.Fatalf("%d: no consent page:\n%s", consent.status, consent.text)
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

// page is an answer to a browser.
type page struct {
	status   int
	location *url.URL // where it is sent, or nil
	text     string
}

// do sends a request and does not follow where the answer points.
func do(t testing.TB, request *http.Request) page {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	location, err := response.Location()
	if err != nil && !errors.Is(err, http.ErrNoLocation) {
		t.Fatal(err)
	}
	return page{status: response.StatusCode, location: location, text: string(text)}
}
