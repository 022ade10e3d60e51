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
	codes    []string // exact, or a prefix that ends in "*": "535", "4*", "SYS/TEMP"
	enhanced []string // RFC 3463 codes, likewise: "5.7.139", "5.1.*", "*.2.2" for any class
	text     []string // one of these occurs; "a & b" wants both; compared in lower case
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

// like compares with a pattern that may begin or end in "*".
func like(pattern, s string) bool {
	if s == "" {
		return pattern == ""
	}
	if p, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(s, p)
	}
	if p, ok := strings.CutPrefix(pattern, "*"); ok {
		return strings.HasSuffix(s, p)
	}
	return pattern == s
}

// says reports whether text has every part of want, which are joined by " & ".
func says(text, want string) bool {
	for part := range strings.SplitSeq(want, " & ") {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

// find returns the first entry that fits. The last entry of every table fits everything.
func find(table []Entry, r reply) Entry {
	for _, e := range table {
		if e.match.fits(r) {
			return e
		}
	}
	return table[len(table)-1]
}
