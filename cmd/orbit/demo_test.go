package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"orbit/internal/sandbox"
)

// The whole demo: it starts, its administrator can sign in, its account sends, and the page shows the mail.
func TestDemo(t *testing.T) {
	dir := demoDir(t)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	t.Setenv("SSL_CERT_DIR", os.Getenv("SSL_CERT_DIR")) // the demo changes it
	t.Setenv("ORBIT_DATA_DIR", dir)
	t.Setenv("ORBIT_LISTEN", address)
	t.Setenv("ORBIT_CONNECTOR_LISTEN", "127.0.0.1:0")
	t.Setenv("ORBIT_DATABASE_URL", "postgres://not-for-the-demo")
	c, err := demoConfig(os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	if c.DataDir != dir+"-demo" || !c.DatabaseURL.IsZero() {
		t.Fatalf("the demo would use %s and a database of others", c.DataDir)
	}

	ctx, stop := context.WithCancel(t.Context())
	read, write := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := demo(ctx, c, sandbox.Ports{}, write)
		_ = write.CloseWithError(io.EOF)
		ended <- err
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("demo: %v", err)
		}
	})
	said := readUntil(t, read, "email-oauth2-proxy authorize")
	go func() { _, _ = io.Copy(io.Discard, read) }()

	signIn(t, "http://"+address, "admin", find(t, said, `password +(\S+)`))
	_ = os.Unsetenv("ORBIT_DATABASE_URL")
	t.Setenv("ORBIT_DATA_DIR", dir+"-demo")
	env, err := os.ReadFile(find(t, said, `\n +\. (\S+demo\.env)`))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("ORBIT_ALLOWED_DESTINATIONS", find(t, string(env), `ORBIT_ALLOWED_DESTINATIONS='([^']+)'`))
	wants(t, must(t, "network-connector", "compare", "Demo mailbox"), "directly (default)", "works")
	wantFailure(t, "orbit smtp list", "network-connector", "compare", "Nobody")
	if status, out, errs := shell(t.Context(), "smtp", "test", "Demo mailbox", "--to", "somebody@example.com"); status != exitOK {
		t.Fatalf("status %d\n%s%s", status, out, errs)
	}
	if page := fetch(t, http.DefaultClient, find(t, said, `mail +(http\S+)`)); !strings.Contains(page, "somebody@example.com") {
		t.Errorf("the mail is not on the page:\n%s", page)
	}
}

// demoDir is a data directory that the user of PostgreSQL may enter.
func demoDir(t *testing.T) string {
	t.Helper()
	parent, err := os.MkdirTemp("", "orbit-demo-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(parent) })
	if err := os.Chmod(parent, 0o711); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(parent, "orbit")
}

func readUntil(t *testing.T, from io.Reader, words string) string {
	t.Helper()
	var said strings.Builder
	buffer := make([]byte, 4096)
	for !strings.Contains(said.String(), words) {
		n, err := from.Read(buffer)
		said.Write(buffer[:n])
		if err != nil {
			t.Fatalf("%v after\n%s", err, said.String())
		}
	}
	return said.String()
}

func find(t *testing.T, text, pattern string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("%s is not in\n%s", pattern, text)
	}
	return found[1]
}

// signIn fails unless the pages let the administrator in.
func signIn(t *testing.T, site, username, password string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	fetch(t, client, site+"/login") // waits until Orbit answers
	form := strings.NewReader(url.Values{"username": {username}, "password": {password}}.Encode())
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, site+"/login", form)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", site)
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if page := fetch(t, client, site+"/settings/notifications/smtp"); !strings.Contains(page, "Demo mailbox") {
		t.Errorf("signed in, the report does not show the demo's account:\n%s", page)
	}
}

func fetch(t *testing.T, client *http.Client, address string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
