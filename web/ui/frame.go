package ui

import "time"

// FrameView is what stands around every page: top bar, menus, the way here, a message from the page before.
type FrameView struct {
	Title   string // of the page; the browser's tab shows it before the product name
	Product string
	Person  *Person     // nil when nobody is signed in
	Grid    []Link      // the nine squares
	Side    []LinkGroup // the menu of Settings; empty elsewhere
	SideOf  string      // its name: "Settings"
	Crumbs  []Link      // the way to this page; the last one is the page itself
	Flash   *FlashView
	Bell    *BellView // nil when nobody is signed in
	Search  string    // address of the search; no field when empty
	SignOut string    // address that signs out
}

// Person is whoever is signed in.
type Person struct {
	Name     string
	Username string
	Role     string
	Zone     string // time zone of all dates on the page
	Links    []Link // their own pages: profile, sessions
}

// FlashView is a message about what was just done.
type FlashView struct {
	Tone Tone   `json:"tone"`
	Text string `json:"text"`
	Link *Link  `json:"link,omitempty"`
}

// BellView is what the bell says.
type BellView struct {
	Notices []NoticeView // what needs attention
	Unread  int          // notifications on the reader's screen
	Newest  string       // answers with the newest of them when the bell is opened
	All     string       // the page of them all
}

// NoticeView is something that needs attention: an account without a default, a certificate about to expire.
type NoticeView struct {
	Tone Tone
	Text string
	Href string
}

// Said returns a message that something was done.
func Said(text string) FlashView { return FlashView{Tone: Good, Text: text} }

// Warned returns a message that something was done and needs attention.
func Warned(text string) FlashView { return FlashView{Tone: Warning, Text: text} }

// LandingView is a page that stands alone, without menus: sign-in, set-up, what a link in a mail leads to.
type LandingView struct {
	Title        string // of the browser's tab and the page
	Product      string
	Organisation string
	About        string // one sentence under the title
	Tone         Tone   // Good and Bad show an icon above the title
	Flash        *FlashView
	Help         string // whom to ask
	Wide         bool   // for more than a few fields
}

// TimeView is a moment as people read it. At is shown in Zone; the zero time shows Never.
type TimeView struct {
	At    time.Time
	Now   time.Time
	Zone  *time.Location
	Never string // "never" when empty
}

// Clock is the time at which a page is made and the zone of its reader; it turns moments into TimeViews.
type Clock struct {
	Now  time.Time
	Zone *time.Location
}

// Moment returns at for showing; nil is never.
func (c Clock) Moment(at *time.Time) TimeView {
	if at == nil {
		return TimeView{Now: c.Now, Zone: c.Zone}
	}
	return TimeView{At: *at, Now: c.Now, Zone: c.Zone}
}

// At returns at for showing.
func (c Clock) At(at time.Time) TimeView { return c.Moment(&at) }

func (t TimeView) zone() *time.Location {
	if t.Zone == nil {
		return time.UTC
	}
	return t.Zone
}

// Exact is the moment in full, with its zone: "23 November 2026, 15:02:11 CET".
func (t TimeView) Exact() string {
	return t.At.In(t.zone()).Format("2 January 2006, 15:04:05 MST")
}

// Short is the moment for a table: "23 Nov 2026, 15:02".
func (t TimeView) Short() string {
	return t.At.In(t.zone()).Format("2 Jan 2006, 15:04")
}

// machine is the moment for programs, in the reader's zone.
func (t TimeView) machine() string { return t.At.In(t.zone()).Format(time.RFC3339) }

// Relative says how far away the moment is: "5 minutes ago", "in 3 hours".
func (t TimeView) Relative() string {
	distance, past := t.Now.Sub(t.At), true
	if distance < 0 {
		distance, past = -distance, false
	}
	words := span(distance)
	switch {
	case words == "":
		return "just now"
	case past:
		return words + " ago"
	}
	return "in " + words
}

// span writes a duration in its largest unit, as time.js does; under 45 seconds it is empty.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < 45*time.Second:
		return ""
	case d < time.Hour:
		return Count(max(1, int(d.Minutes())), "minute", "minutes")
	case d < day:
		return Count(int(d.Hours()), "hour", "hours")
	case d < 30*day:
		return Count(int(d/day), "day", "days")
	case d < 365*day:
		return Count(int(d/(30*day)), "month", "months")
	}
	return Count(int(d/(365*day)), "year", "years")
}
