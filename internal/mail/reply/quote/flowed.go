package quote

import "strings"

// Unflow joins the lines that format=flowed broke (RFC 3676). Quoted lines stay as they are: they go anyway.
func Unflow(text string, delSp bool) string {
	var out strings.Builder
	out.Grow(len(text))
	for text != "" {
		line, rest, more := strings.Cut(text, "\n")
		text = rest
		if strings.HasPrefix(line, ">") {
			out.WriteString(line)
		} else if joined := strings.TrimPrefix(line, " "); flows(line, rest) {
			if delSp {
				joined = joined[:len(joined)-1]
			}
			out.WriteString(joined)
			continue
		} else {
			out.WriteString(joined)
		}
		if more {
			out.WriteByte('\n')
		}
	}
	return out.String()
}

// flows reports whether the line goes on in the next: a space at its end, no signature, and no quotation below.
func flows(line, rest string) bool {
	return strings.HasSuffix(line, " ") && line != "-- " && strings.TrimSpace(line) != "" &&
		rest != "" && rest[0] != '>' && rest[0] != '\n' && !strings.HasPrefix(rest, "-- \n")
}

// Unarmor removes the armour of a clear-signed OpenPGP text (RFC 9580 7). The signature is not verified.
func Unarmor(text string) string {
	const begin, signature = "-----BEGIN PGP SIGNED MESSAGE-----\n", "\n-----BEGIN PGP SIGNATURE-----"
	at := strings.Index(text, begin)
	if at < 0 || at > 0 && text[at-1] != '\n' {
		return text
	}
	_, body, found := strings.Cut(text[at+len(begin)-1:], "\n\n") // below the Hash fields
	if !found {
		return text
	}
	body, _, _ = strings.Cut(body, signature)
	lines := strings.Split(body, "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "- ")
	}
	return text[:at] + strings.Join(lines, "\n")
}
