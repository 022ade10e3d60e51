package app_test

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"testing"

	"orbit/internal/identity"
)

// file gets what is no JSON.
func (p program) file(path string) (*http.Response, []byte) {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.base+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+p.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response, content
}

// wantFile gets a file that nothing on the way may open.
func (p program) wantFile(path, kind, disposition string) []byte {
	p.t.Helper()
	response, content := p.file(path)
	for name, want := range map[string]string{
		"Content-Type": kind, "Content-Disposition": disposition, "X-Content-Type-Options": "nosniff",
		"Content-Security-Policy": "sandbox; default-src 'none'", "Cache-Control": "no-store",
	} {
		if got := response.Header.Get(name); response.StatusCode != http.StatusOK || got != want {
			p.t.Errorf("%s: %d, %s %q, want %q", path, response.StatusCode, name, got, want)
		}
	}
	return content
}

func TestAProgramDownloadsAttachmentsAndNothingOpensThem(t *testing.T) {
	t.Parallel()
	r := newReading(t)
	r.receive(t, mailFile(t, "letter.eml"))
	p := r.program(t, identity.Auditor)
	const message = "/imap-pop3-accounts/1/messages/1"
	first := map[string]string{"Access review Q3.pdf": "%PDF-", "logo.png": "\x89PNG\r\n"}
	parts := p.want(200, "GET", message, nil)["parts"].([]any)
	if len(parts) != len(first) {
		t.Fatalf("want %d parts, got %v", len(first), parts)
	}
	for _, found := range parts {
		part := found.(map[string]any)
		name := part["name"].(string)
		disposition := "attachment; filename=" + name
		if name != "logo.png" {
			disposition = `attachment; filename="` + name + `"`
		}
		content := p.wantFile(message+"/parts/"+strconv.Itoa(int(part["part"].(float64))), "application/octet-stream", disposition)
		if !bytes.HasPrefix(content, []byte(first[name])) || float64(len(content)) != part["size"] {
			t.Errorf("%v has %d bytes: %.20q", part, len(content), content)
		}
	}
	if raw := p.wantFile(message+"/raw", "message/rfc822", "attachment; filename=message-1.eml"); !bytes.Contains(raw, []byte("Subject: Quarterly access review\r\n")) {
		t.Errorf("the source: %.200q", raw)
	}
	for path, want := range map[string]int{
		message + "/parts/0": 404, message + "/parts/99": 404, message + "/parts/x": 422, message + "/parts/-1": 422, // the first is the text
		"/imap-pop3-accounts/1/messages/2/parts/1": 404, "/imap-pop3-accounts/2/messages/1/parts/1": 404,
	} {
		p.want(want, "GET", path, nil)
	}
	r.program(t, identity.Member).want(403, "GET", message+"/parts/1", nil)
	program{t, p.base, "orbit_guess"}.want(401, "GET", message+"/parts/1", nil)
	answers := p.want(200, "GET", "/openapi.json", nil)["paths"].(map[string]any)["/imap-pop3-accounts/{id}/messages/{mid}/parts/{part}"].(map[string]any)["get"].(map[string]any)["responses"]
	if content := answers.(map[string]any)["200"].(map[string]any)["content"].(map[string]any); content["application/octet-stream"] == nil {
		t.Errorf("the file is described as %v", content)
	}
}
