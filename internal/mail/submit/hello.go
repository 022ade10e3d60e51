package submit

import (
	"slices"
	"strconv"
	"strings"
)

// offer is what a server says it can do, in its answer to EHLO (RFC 5321 4.1.1.1).
type offer map[string]string

// newOffer reads the lines after the first. Keywords are compared without case.
func newOffer(lines []string) offer {
	o := offer{}
	for _, line := range lines[min(1, len(lines)):] {
		keyword, parameters, _ := strings.Cut(strings.TrimSpace(line), " ")
		keyword = strings.ToUpper(keyword)
		if legacy, ok := strings.CutPrefix(keyword, "AUTH="); ok { // "AUTH=LOGIN", from before the standard
			keyword, parameters = "AUTH", legacy+" "+parameters
		}
		o[keyword] = strings.TrimSpace(o[keyword] + " " + strings.TrimSpace(parameters))
	}
	return o
}

func (o offer) has(extension string) bool {
	_, ok := o[extension]
	return ok
}

// mechanisms lists the ways to sign in, each once.
func (o offer) mechanisms() []string {
	var all []string
	for _, name := range strings.Fields(strings.ToUpper(o["AUTH"])) {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// maxSize is the size that the server takes, 0 when it names none (RFC 1870 3).
func (o offer) maxSize() int64 {
	n, err := strconv.ParseInt(o["SIZE"], 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// names lists the extensions for people.
func (o offer) names() []string {
	all := make([]string, 0, len(o))
	for name := range o {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}
