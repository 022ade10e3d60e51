package explain

import (
	"crypto/x509"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/errors.md from the dictionary")

func expiredError() error { return x509.CertificateInvalidError{Reason: x509.Expired} }

// The page is made from the tables, so it cannot say anything else than the program.
func TestErrorPageIsFresh(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "..", "docs", "errors.md")
	want := page()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("docs/errors.md is not what the dictionary says; run: go test ./internal/mail/explain -run ErrorPage -update")
	}
}

const introduction = `# What went wrong: the error dictionary

Made from ` + "`internal/mail/explain`" + ` by ` + "`go test ./internal/mail/explain -run ErrorPage -update`" + `; do not edit.

Pages, command line, log and API explain failures with these entries. Names in braces are filled in with your own values. *Who acts*: "nobody" means
that it heals by itself; *temporary* that a later try may succeed; *throttled* that Orbit slows down and does not count the attempt; *authorise* that a
person must authorise at the provider.
`

func page() string {
	var b strings.Builder
	b.WriteString(introduction)
	for _, group := range []Group{GroupSMTP, GroupIMAP, GroupPOP3, GroupMicrosoft, GroupGoogle, GroupOAuth, GroupNetwork, GroupConnector, GroupTLS} {
		b.WriteString("\n## " + string(group) + "\n")
		for _, e := range Entries() {
			if e.Group == group {
				e.write(&b)
			}
		}
	}
	return b.String()
}

func (e Entry) write(b *strings.Builder) {
	b.WriteString("\n### " + e.Code + "\n\n")
	b.WriteString("Seen as: `" + strings.ReplaceAll(e.Seen, "`", "'") + "`\n\n")
	b.WriteString("- **What happened:** " + strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(e.Cause) + "\n")
	b.WriteString("- **Who acts:** " + string(e.Who) + flags(e) + "\n\n")
	b.WriteString("```text\n" + e.Remedy + "\n```\n") // fenced, so that commands can be copied as they are
}

func flags(e Entry) string {
	all := ""
	for _, f := range []struct {
		set  bool
		name string
	}{{e.Temporary, "temporary"}, {e.Throttled, "throttled"}, {e.Authorise, "authorise"}} {
		if f.set {
			all += ", " + f.name
		}
	}
	return all
}
