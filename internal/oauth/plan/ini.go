package plan

import (
	"fmt"
	"slices"
	"strings"

	"orbit/internal/problem"
)

// A configuration file as Python's ConfigParser reads it without interpolation: sections, "key = value" or
// "key: value", lines that begin with # or ; are comments, an indented line continues the value above.

const (
	maxConfig = 1 << 20 // a file with hundreds of accounts and their cached tokens stays below
	maxLines  = 20_000  // likewise; finding keys is quadratic
)

// section is one [name] with its items. Items before the first header have a section without a name.
type section struct {
	name  string
	line  int
	items []item
}

type item struct {
	key   string // lower case
	value string // lines joined by \n
	line  int
}

// get returns the value of a key and whether it is there.
func (s section) get(key string) (string, bool) {
	for _, i := range s.items {
		if i.key == key {
			return i.value, true
		}
	}
	return "", false
}

// parseINI reads a file and returns everything that is wrong with it, by line.
func parseINI(text string) ([]section, problem.Invalid) {
	var p iniParser
	if len(text) > maxConfig || strings.Count(text, "\n") > maxLines {
		p.wrong.Add("config", "The file is larger than 1 MB or longer than 20,000 lines; that is no configuration of email-oauth2-proxy.")
		return nil, p.wrong
	}
	text = strings.TrimPrefix(text, "\uFEFF")
	for n, line := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		p.take(n+1, line)
	}
	p.endValue()
	return p.inherit(), p.wrong
}

type iniParser struct {
	sections []section
	wrong    problem.Invalid
	indent   int // of the key that a continuation line belongs to
	value    []string
	open     bool // an item is being read
}

func (p *iniParser) take(number int, line string) {
	trimmed := strings.TrimSpace(line)
	indent := len(line) - len(strings.TrimLeft(line, " \t"))
	switch {
	case strings.HasPrefix(trimmed, "#"), strings.HasPrefix(trimmed, ";"):
	case trimmed == "":
		if p.open {
			p.value = append(p.value, "")
		}
	case p.open && indent > p.indent:
		p.value = append(p.value, trimmed)
	case strings.HasPrefix(trimmed, "[") && strings.HasSuffix(trimmed, "]") && !strings.ContainsAny(trimmed, "=()"):
		p.header(number, strings.TrimSpace(trimmed[1:len(trimmed)-1]))
	default:
		p.item(number, indent, trimmed)
	}
}

func (p *iniParser) header(number int, name string) {
	p.endValue()
	if i := slices.IndexFunc(p.sections, func(s section) bool { return s.name == name && name != "" }); i >= 0 {
		p.wrong.Add("config", "Line %d: the section [%s] is there twice; it began in line %d.", number, name, p.sections[i].line)
	}
	p.sections = append(p.sections, section{name: name, line: number})
}

func (p *iniParser) item(number, indent int, text string) {
	p.endValue()
	at := strings.IndexAny(text, "=:")
	if at <= 0 {
		p.wrong.Add("config", "Line %d: neither a [section] nor a key with a value.", number)
		return
	}
	key := strings.ToLower(strings.TrimSpace(text[:at]))
	if len(p.sections) == 0 {
		p.sections = append(p.sections, section{line: number})
	}
	last := &p.sections[len(p.sections)-1]
	if _, twice := last.get(key); twice && last.name != "" {
		p.wrong.Add("config", "Line %d: %s is there twice in [%s].", number, key, last.name)
	}
	last.items = append(last.items, item{key: key, line: number})
	p.open, p.indent, p.value = true, indent, []string{strings.TrimSpace(text[at+1:])}
}

// endValue closes the item that is being read.
func (p *iniParser) endValue() {
	if !p.open {
		return
	}
	items := p.sections[len(p.sections)-1].items
	items[len(items)-1].value = strings.TrimRight(strings.Join(p.value, "\n"), "\n")
	p.open, p.value = false, nil
}

// inherit gives every section what [DEFAULT] says, as ConfigParser does.
func (p *iniParser) inherit() []section {
	var defaults []item
	var rest []section
	for _, s := range p.sections {
		if s.name == "DEFAULT" {
			defaults = append(defaults, s.items...)
			continue
		}
		rest = append(rest, s)
	}
	for i := range rest {
		for _, d := range defaults {
			if _, there := rest[i].get(d.key); !there && rest[i].name != "" {
				rest[i].items = append(rest[i].items, d)
			}
		}
	}
	return rest
}

// writeINI writes sections so that parseINI and ConfigParser read the same.
func writeINI(sections []section) string {
	var b strings.Builder
	for i, s := range sections {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "[%s]\n", s.name)
		for _, it := range s.items {
			fmt.Fprintf(&b, "%s = %s\n", it.key, strings.ReplaceAll(it.value, "\n", "\n    "))
		}
	}
	return b.String()
}
