package reply

import "strings"

// maxResults bounds what is read of one field.
const maxResults = 50

// parseResults reads the value of an Authentication-Results field: the server's id, "" when it has none, and the
// results.
func parseResults(value string) (server string, results []Result) {
	for i, clause := range splitClauses(value) {
		words := strings.Fields(clause)
		if i == 0 && (len(words) == 0 || !strings.Contains(words[0], "=")) {
			server = strings.Trim(firstOf(words), `"`) // a version may follow
			continue
		}
		if r, ok := parseResult(words); ok && len(results) < maxResults {
			results = append(results, r)
		}
	}
	return server, results
}

// parseResult reads "dkim=pass reason="..." header.d=example.com".
func parseResult(words []string) (r Result, ok bool) {
	if len(words) == 0 {
		return r, false
	}
	method, value, found := strings.Cut(words[0], "=")
	if !found {
		return r, false
	}
	method, _, _ = strings.Cut(method, "/") // a version
	r = Result{Method: strings.ToLower(method), Value: strings.ToLower(value), Props: map[string]string{}}
	for _, word := range words[1:] {
		name, value, found := strings.Cut(word, "=")
		if !found {
			continue
		}
		value = strings.ReplaceAll(strings.Trim(value, `"`), "\x01", " ")
		if name = strings.ToLower(name); name == "reason" {
			r.Reason = value
		} else if _, again := r.Props[name]; !again {
			r.Props[name] = value
		}
	}
	return r, true
}

// splitClauses splits at semicolons, leaves comments out, joins what stands around "=" and hides the spaces of
// quoted strings, so that a clause is words.
func splitClauses(value string) (clauses []string) {
	var out strings.Builder
	depth, quoted, escaped := 0, false, false
	for i := range len(value) {
		c := value[i]
		switch {
		case escaped:
			escaped = false
			if depth == 0 {
				out.WriteByte(c)
			}
		case c == '\\' && (quoted || depth > 0):
			escaped = true
		case c == '"' && depth == 0:
			quoted = !quoted
			out.WriteByte(c)
		case quoted && c == ' ':
			out.WriteByte(1)
		case quoted:
			out.WriteByte(c)
		case c == '(':
			depth++
		case c == ')':
			depth = max(depth-1, 0)
			out.WriteByte(' ')
		case depth > 0:
		case c == ';':
			clauses = append(clauses, tight(out.String()))
			out.Reset()
		default:
			out.WriteByte(c)
		}
	}
	return append(clauses, tight(out.String()))
}

// tight removes the white space that RFC 8601 allows around "=".
func tight(clause string) string {
	if !strings.Contains(clause, " =") && !strings.Contains(clause, "= ") {
		return clause
	}
	return strings.Join(strings.FieldsFunc(strings.ReplaceAll(strings.ReplaceAll(clause, " =", "="), "= ", "="), func(r rune) bool { return r == ' ' || r == '\t' }), " ")
}
