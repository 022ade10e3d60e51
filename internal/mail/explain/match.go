package explain

import (
	"slices"
	"strings"

	"orbit/internal/mail/ladder"
	"orbit/internal/mail/provider"
)

// signIn says for which way of signing in an entry holds.
type signIn int

const (
	anySignIn signIn = iota
	password
	token    // an OAuth 2.0 access token
	appToken // an access token of an application
)

// pattern says which replies an entry explains. Every condition that is given must hold.
type pattern struct {
	provider provider.ID
	steps    []ladder.Name
	codes    []string // exact, or a prefix before "*": "535", "4*", "SYS/TEMP"
	enhanced []string // RFC 3463 codes, likewise: "5.7.139", "5.1.*"
	text     []string // one of these occurs at the start of a word; compared in lower case
	signIn   signIn
}

// reply is what a server said, made ready for matching.
type reply struct {
	provider provider.ID
	step     ladder.Name
	code     string
	enhanced string
	text     string // lower case
	oauth    bool
	appOnly  bool
}

func (p pattern) fits(r reply) bool {
	return (p.provider == "" || p.provider == r.provider) &&
		(len(p.steps) == 0 || slices.Contains(p.steps, r.step)) &&
		(len(p.codes) == 0 || slices.ContainsFunc(p.codes, func(c string) bool { return like(c, r.code) })) &&
		(len(p.enhanced) == 0 || slices.ContainsFunc(p.enhanced, func(e string) bool { return like(e, r.enhanced) })) &&
		(len(p.text) == 0 || slices.ContainsFunc(p.text, func(t string) bool { return says(r.text, t) })) &&
		p.signIn.fits(r)
}

func (s signIn) fits(r reply) bool {
	switch s {
	case password:
		return !r.oauth
	case token:
		return r.oauth
	case appToken:
		return r.oauth && r.appOnly
	case anySignIn:
	}
	return true
}

// like compares with a pattern that may end in "*".
func like(pattern, s string) bool {
	if p, ok := strings.CutSuffix(pattern, "*"); ok {
		return s != "" && strings.HasPrefix(s, p)
	}
	return pattern == s
}

// says reports whether words occur in text, at the start of a word: "rbl" is not meant by "marble".
func says(text, words string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], words)
		if i < 0 {
			return false
		}
		at := from + i
		if at == 0 || !letter(words[0]) || !letter(text[at-1]) {
			return true
		}
		from = at + 1
	}
}

func letter(b byte) bool { return b >= 'a' && b <= 'z' || b >= '0' && b <= '9' }

// find returns the first entry that fits. The last entry of every table fits everything.
func find(table []Entry, r reply) Entry {
	for _, e := range table {
		if e.match.fits(r) {
			return e
		}
	}
	return table[len(table)-1]
}
