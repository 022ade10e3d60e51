package reply

import (
	"slices"
	"strings"
)

// maxIDs bounds how many ids of a list are read.
const maxIDs = 100

// messageIDs reads the ids of a list, without angle brackets. Folding inside an id is undone; ids without
// brackets are taken too, because some programs write them so.
func messageIDs(value string) (ids []string) {
	bare := value
	for len(ids) < maxIDs {
		_, after, found := strings.Cut(value, "<")
		if !found {
			break
		}
		id, rest, closed := strings.Cut(after, ">")
		if !closed {
			break
		}
		if id = strings.Join(strings.Fields(id), ""); id != "" {
			ids = append(ids, id)
		}
		value = rest
	}
	if len(ids) > 0 {
		return ids
	}
	for _, word := range strings.Fields(bare) {
		if word = strings.Trim(word, `<>,;"`); strings.Contains(word, "@") && len(ids) < maxIDs {
			ids = append(ids, word)
		}
	}
	return ids
}

// maxAsked bounds how often Sent is asked for one message.
const maxAsked = 30

// relate finds which sent message this one is about. Ids that a report names come first, then the message that
// was answered, then the thread from its end.
func (rd *reading) relate(reported ...string) {
	m, o := &rd.message, rd.options
	candidates := slices.Concat(reported, m.InReplyTo)
	for i := len(m.References) - 1; i >= 0; i-- {
		candidates = append(candidates, m.References[i])
	}
	candidates = candidates[:min(len(candidates), maxAsked)]
	at := slices.IndexFunc(candidates, o.sent)
	if at >= 0 {
		m.Original = candidates[at]
	}
	rd.direct = at >= 0 && at < max(len(m.InReplyTo), 1)
	rd.findToken(candidates)
}

// findToken looks for Orbit's token where a forger must know it, the most telling place first.
func (rd *reading) findToken(ids []string) {
	m, o := &rd.message, rd.options
	if o.Token == nil {
		return
	}
	for _, name := range []string{"To", "Delivered-To", "X-Original-To", "Envelope-To", "Cc"} {
		for _, value := range rd.header.All(name) {
			if m.Token = o.find(value); m.Token != "" {
				rd.direct = true
				return
			}
		}
	}
	for _, text := range append(slices.Clone(ids), m.Subject, rd.body.searched()) {
		if m.Token = o.find(text); m.Token != "" {
			return
		}
	}
}

// related reports whether the message is about one that Orbit sent.
func (m *Message) related() bool { return m.Original != "" || m.Token != "" }
