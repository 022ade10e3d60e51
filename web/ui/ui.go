// Package ui holds the parts that pages are made of, named after what people see: Frame, Report, RowMenu,
// YesNo, Form, StepLadder.
//
// A part takes a finished view model and cannot fail: no part reads a database, asks a provider or decides
// what somebody may do. Nothing here needs JavaScript to be usable; static/js makes it quicker.
package ui

import (
	"strconv"
	"strings"

	"github.com/a-h/templ"
)

// Tone says what a colour means. A word always stands beside the colour.
type Tone string

// The tones.
const (
	Neutral Tone = "neutral"
	Good    Tone = "good"
	Notice  Tone = "notice"
	Warning Tone = "warning"
	Bad     Tone = "bad"
)

// icon is what stands before a message of this tone.
func (t Tone) icon() string {
	switch t {
	case Good:
		return "circle-check"
	case Warning:
		return "alert-triangle"
	case Bad:
		return "alert-circle"
	case Notice, Neutral:
	}
	return "info-circle"
}

// Link is something that leads somewhere: an entry of a menu, a crumb, a button.
type Link struct {
	Label string
	Href  string
	Icon  string // name in static/icons.txt
	About string // one sentence, where there is room for it
	Here  bool   // it leads to the page that is shown
}

// LinkGroup is a part of a menu with a heading; the heading may be empty.
type LinkGroup struct {
	Label string
	Links []Link
}

// Number writes n for reading: 12,345.
func Number(n int) string {
	digits := strconv.Itoa(n)
	var parts []string
	for len(digits) > 3 {
		parts = append([]string{digits[len(digits)-3:]}, parts...)
		digits = digits[:len(digits)-3]
	}
	return strings.Join(append([]string{digits}, parts...), ",")
}

// Count writes "1 account" or "3 accounts".
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Number(n) + " " + many
}

// initials is what an avatar shows for a name.
func initials(name string) string {
	words := strings.Fields(name)
	switch len(words) {
	case 0:
		return "?"
	case 1:
		return strings.ToUpper(firstRune(words[0]))
	}
	return strings.ToUpper(firstRune(words[0]) + firstRune(words[len(words)-1]))
}

func firstRune(word string) string {
	for _, r := range word {
		return string(r)
	}
	return ""
}

// attributes joins sets of attributes; later ones win.
func attributes(sets ...templ.Attributes) templ.Attributes {
	all := templ.Attributes{}
	for _, set := range sets {
		for name, value := range set {
			all[name] = value
		}
	}
	return all
}
