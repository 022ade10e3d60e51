package app

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// mayImport is who may import whom inside the module: a package (or everything below it, with /...) and what
// it may use beside itself. The first matching line counts. A new edge belongs into this table only with a
// reason; most of them are better as an interface that the consumer declares.
var mayImport = []struct {
	from string
	to   string
}{
	{"internal/problem", ""},
	{"internal/vault", ""},
	{"internal/config", "internal/vault"}, // a password from the environment is a Secret from its first moment
	{"migrations", ""},
	{"static", ""},

	{"internal/mail/mailtest", "internal/mail/... internal/vault"},
	{"internal/mail/...", "internal/mail/... internal/vault"},

	{"internal/postgres/pgtest", "internal/postgres internal/postgres/cluster migrations"},
	{"internal/postgres/cluster", ""},
	{"internal/postgres", "internal/postgres/cluster migrations"},
	{"internal/audit", "internal/postgres internal/problem internal/vault"},
	{"internal/setting", "internal/postgres internal/vault internal/problem internal/audit"},
	{"internal/identity", "internal/postgres internal/vault internal/problem internal/audit internal/setting"},
	{"internal/credential", "internal/postgres internal/vault internal/problem internal/audit internal/setting"},
	{"internal/tunnel", "internal/vault"},
	{"internal/connector", "internal/tunnel internal/credential internal/mail/dial internal/mail/ladder internal/mail/explain " + feature},
	{"internal/oauth/endpoint", "internal/vault"},
	{"internal/oauth/plan", "internal/oauth internal/oauth/endpoint internal/mail/provider internal/problem internal/vault"},
	{"internal/oauth", "internal/oauth/endpoint internal/credential internal/mail/explain internal/mail/ladder internal/mail/provider " + feature},
	{"internal/oauth/checklist", "internal/oauth internal/oauth/... internal/mail/... internal/problem internal/vault"},
	{"internal/oauth/preset", "internal/oauth internal/oauth/... internal/mail/... internal/problem internal/vault"},
	{"internal/approval", "internal/notify internal/notify/text internal/mail/reply " + feature},
	{"internal/account", "internal/credential internal/mail/... " + feature},
	{"internal/proxyhost", "internal/oauth internal/oauth/... internal/oauth/plan internal/credential internal/connector internal/mail/... " + feature},
	{"internal/notify/text", ""},
	{"internal/notify", "internal/account internal/notify/text internal/mail/... " + feature},
	{"internal/inbox", "internal/account internal/credential internal/mail/... " + feature},
	{"internal/sandbox/...", "internal/sandbox internal/sandbox/... internal/mail/... internal/vault"},
	{"internal/sandbox", "internal/sandbox/... internal/mail/... internal/vault"},
	{"internal/app", "internal/... web web/... migrations static"},

	{"web/ui", "internal/mail/ladder internal/problem static"},
	{"web/form", "internal/problem internal/vault"},
	{"web/mailhtml", ""},
	{"web/page", "web/ui web/form internal/... static"},
	{"web/browsertest/gallery", "web/browsertest web/page web/ui internal/mail/ladder internal/problem static"},
	{"web/browsertest", ""},
	{"web/api", "internal/... "},
	{"web", "web/... static internal/..."},
	{"cmd/orbit", "internal/..."},
}

// feature is what every feature may use.
const feature = "internal/postgres internal/vault internal/problem internal/audit internal/setting"

func TestImportsRunOneWay(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && (strings.HasPrefix(name, ".") && file != root || name == "node_modules" || name == "testdata" || name == "tools") {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		checkFile(t, root, file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func checkFile(t *testing.T, root, file string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Errorf("%s: %v", file, err)
		return
	}
	dir, err := filepath.Rel(root, filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	from := filepath.ToSlash(dir)
	for _, spec := range parsed.Imports {
		to, ours := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), "orbit/")
		if ours && !allowed(t, from, to) {
			t.Errorf("%s imports %s, which the table in imports_test.go does not allow", path.Join(from, filepath.Base(file)), to)
		}
	}
}

func allowed(t *testing.T, from, to string) bool {
	t.Helper()
	for _, rule := range mayImport {
		if !covers(rule.from, from) {
			continue
		}
		for _, target := range strings.Fields(rule.to) {
			if covers(target, to) {
				return true
			}
		}
		return from == to
	}
	t.Errorf("package %s has no line in the table of imports_test.go", from)
	return true
}

// covers reports whether pattern names pkg: exactly, or as a tree ending in "/...".
func covers(pattern, pkg string) bool {
	tree, all := strings.CutSuffix(pattern, "/...")
	if all {
		return strings.HasPrefix(pkg, tree+"/")
	}
	return pattern == pkg
}
