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
	for _, id := range candidates[:min(len(candidates), maxAsked)] {
		if o.sent(id) {
			m.Original = id
			break
		}
	}
	m.Token = rd.token(candidates)
}

// token looks for Orbit's token where a forger must know it, the most telling place first.
func (rd *reading) token(ids []string) string {
	o := rd.options
	if o.Token == nil {
		return ""
	}
	for _, name := range []string{"To", "Delivered-To", "X-Original-To", "Envelope-To", "Cc"} {
		for _, value := range rd.header.All(name) {
			if token := o.find(value); token != "" {
				return token
			}
		}
	}
	for _, id := range ids {
		if token := o.find(id); token != "" {
			return token
		}
	}
	if token := o.find(rd.message.Subject); token != "" {
		return token
	}
	return o.find(rd.message.Body)
}

// related reports whether the message is about one that Orbit sent.
func (m *Message) related() bool { return m.Original != "" || m.Token != "" }
