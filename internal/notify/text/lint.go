package text

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/yuin/goldmark/ast"
)

// maxMail is where mail programs begin to cut a page of HTML (Gmail: 102 kB).
const maxMail = 100 << 10

// Severity says whether a text may be stored with a finding.
type Severity string

// The severities.
const (
	Mistake Severity = "error"   // the text is not stored
	Warning Severity = "warning" // it is stored
)

// Finding is something that Lint found.
type Finding struct {
	Severity Severity
	Field    string // "subject" or "message"
	Text     string // what is wrong and what to do
}

// Lint says what would not work in a text of that type.
func Lint(t Type, text Text) []Finding {
	var found linting
	found.subject(text.Subject)
	if strings.TrimSpace(text.Message) == "" {
		found.add(Mistake, "message", "Write a message.")
		return found
	}
	found.tags(t, text)
	found.needs(t, text)
	found.links(text.Message)
	found.secrets(text)
	if size := len(Render(text, Sample(t, time.Now()), Reader{}).HTML); size > maxMail {
		found.add(Mistake, "message", "With its values the mail has %d KB, and mail programs cut it off at 100 KB: shorten it.", size>>10)
	}
	return found
}

type linting []Finding

func (l *linting) add(s Severity, field, format string, args ...any) {
	finding := Finding{Severity: s, Field: field, Text: fmt.Sprintf(format, args...)}
	if !slices.Contains(*l, finding) {
		*l = append(*l, finding)
	}
}

func (l *linting) subject(subject string) {
	switch {
	case strings.TrimSpace(subject) == "":
		l.add(Mistake, "subject", "Write a subject.")
	case strings.ContainsAny(subject, "\r\n"):
		l.add(Mistake, "subject", "A subject is one line.")
	case len([]rune(subject)) > maxSubject:
		l.add(Mistake, "subject", "A subject has at most %d characters, this one has %d.", maxSubject, len([]rune(subject)))
	}
}

// almost finds what was meant to be a tag.
var almost = regexp.MustCompile(`\[#\s*([A-Za-z0-9_ ]+?)\s*#?\]`)

func (l *linting) tags(t Type, text Text) {
	for field, content := range map[string]string{"subject": text.Subject, "message": text.Message} {
		for _, m := range written.FindAllStringSubmatch(content, -1) {
			l.tag(t, field, m[1])
		}
		for _, m := range almost.FindAllStringSubmatch(content, -1) {
			if !written.MatchString(m[0]) {
				l.add(Mistake, field, "%s is not a tag: write [#%s#].", m[0], TagName(strings.TrimSpace(m[1])))
			}
		}
	}
	slices.SortFunc(*l, func(a, b Finding) int { return strings.Compare(a.Field+a.Text, b.Field+b.Text) })
}

func (l *linting) tag(t Type, field, name string) {
	i := slices.IndexFunc(t.Tags, func(tag Tag) bool { return tag.Name == name })
	switch {
	case i < 0 && kinds[name] != "":
		l.add(Mistake, field, "The tag [#%s#] has no value in a text of the type %s: take it out.", name, t.Name)
	case i < 0:
		l.add(Mistake, field, "There is no tag [#%s#]: choose one from the list of tags.", name)
	case field == "subject" && slices.Contains([]Kind{KindLink, KindURL, KindHint}, t.Tags[i].Kind):
		l.add(Mistake, field, "The tag [#%s#] does not belong into a subject.", name)
	}
}

// needs asks for the tags without which the mail is of no use. Of a pair, a button and its address, one is enough.
func (l *linting) needs(t Type, text Text) {
	used := Used(Text{Message: text.Message})
	has := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(used, n) })
	}
	switch {
	case len(t.Needs) == 0:
	case slices.Equal(t.Needs, toDecide):
		for _, link := range []string{"APPROVE", "REJECT"} {
			if !has("LINK_"+link, "URL_"+link) {
				l.add(Mistake, "message", "The decision link is missing: without [#LINK_%s#] or [#URL_%s#] nobody can decide from this mail.", link, link)
			}
		}
	case !has(t.Needs...):
		l.add(Mistake, "message", "The message needs one of these tags: [#%s#].", strings.Join(t.Needs, "#], [#"))
	}
}

// links looks at what is written as a link or an image.
func (l *linting) links(message string) {
	doc := parse(message)
	_ = ast.Walk(doc.root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		switch n := n.(type) {
		case *ast.Image:
			if entering {
				l.add(Warning, "message", "The image %s is not shown: a mail of Orbit loads nothing from elsewhere.", n.Destination)
			}
		case *ast.Link:
			address := string(n.Destination)
			if entering && !written.MatchString(address) && safeURL(address) == "" {
				l.add(Mistake, "message", "The link to %q can't be clicked: begin it with https://, http:// or mailto:.", address)
			}
			if entering && strings.HasPrefix(address, "http://") {
				l.add(Warning, "message", "The link to %s is not encrypted: use https:// where you can.", address)
			}
		}
		return ast.WalkContinue, nil
	})
	if element.MatchString(message) {
		l.add(Warning, "message", "HTML is not used: it stands in the mail as it was written. Use Markdown, **bold** for instance.")
	}
}

var element = regexp.MustCompile(`(?i)</?(p|br|div|span|a|b|i|strong|em|table|tr|td|img|script|style|h[1-6]|ul|ol|li)\b[^>]*>`)

// secretLike finds what looks like a secret that was pasted into a text. A text is stored in the clear and sent to everybody.
var secretLike = []*regexp.Regexp{
	regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----`),
	regexp.MustCompile(`\bAKIA[0-9A-Z]{16}\b`),                                                                       // access key of Amazon
	regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.`),                                              // JSON Web Token
	regexp.MustCompile(`\b(gh[pousr]_|github_pat_)[A-Za-z0-9_]{20,}`),                                                // token of GitHub
	regexp.MustCompile(`(?i)\b(password|passwd|senha|contraseña|secret|token|api[ _-]?key)\s*[:=]\s*[^\s\[<*|]{6,}`), // a tag may follow, a value may not
}

func (l *linting) secrets(text Text) {
	for field, content := range map[string]string{"subject": text.Subject, "message": text.Message} {
		for _, pattern := range secretLike {
			if pattern.MatchString(content) {
				l.add(Mistake, field, "This looks like a secret: texts are stored readable and sent by mail, so take it out.")
			}
		}
	}
}
