package submit

import (
	"regexp"
	"strconv"
	"strings"
)

// reply is what the server answered to one command.
type reply struct {
	code     int
	enhanced string   // RFC 3463, "5.7.139"; empty when the server gave none
	lines    []string // the texts, without codes
}

// enhancedCode is a status code at the start of a reply's text (RFC 2034 4).
var enhancedCode = regexp.MustCompile(`^([245]\.\d{1,3}\.\d{1,3})(?: |$)`)

// parseLine splits "250-SIZE 1000" into its parts. The text is not checked: it comes from the server.
func parseLine(line string) (code int, text string, last, ok bool) {
	if len(line) < 3 {
		return 0, "", false, false
	}
	code, err := strconv.Atoi(line[:3])
	if err != nil || code < 200 || code > 599 {
		return 0, "", false, false
	}
	if len(line) == 3 {
		return code, "", true, true
	}
	if line[3] != ' ' && line[3] != '-' {
		return 0, "", false, false
	}
	return code, line[4:], line[3] == ' ', true
}

// add takes one more line. Servers repeat the enhanced code on each line; it is kept once.
func (r *reply) add(code int, text string) {
	r.code = code
	if len(text) > 5 && text[1] == '.' { // saves the common reply the expression
		if m := enhancedCode.FindStringSubmatch(text); m != nil && (r.enhanced == "" || r.enhanced == m[1]) {
			r.enhanced = m[1]
			text = strings.TrimPrefix(text[len(m[1]):], " ")
		}
	}
	r.lines = append(r.lines, text)
}

// ok reports whether the reply is of the class that was hoped for: 2 for success, 3 for "go on".
func (r reply) ok(class int) bool { return r.code/100 == class }

func (r reply) text() string { return strings.TrimSpace(strings.Join(r.lines, " ")) }

// String is the reply on one line: "250 2.1.0 Sender ok".
func (r reply) String() string {
	words := make([]string, 0, 3)
	for _, word := range []string{strconv.Itoa(r.code), r.enhanced, r.text()} {
		if word != "" {
			words = append(words, word)
		}
	}
	return printable(strings.Join(words, " "))
}
