package ui

import (
	"github.com/a-h/templ"

	"orbit/internal/problem"
)

// WindowID is the element that windows open in; the frame has exactly one.
const WindowID = "window"

// WindowView is a window over the page: "Test e-mail - Account Office365". Opened without JavaScript, the same
// address is a page of its own with the same content.
type WindowView struct {
	Title string
	Wide  bool
	Back  string // where Cancel leads when it is a page
}

// ConfirmView asks before something that cannot be taken back, or that needs the password again.
type ConfirmView struct {
	Title    string // names the thing: "Delete SMTP account Office365?"
	Text     string // the consequence, one or two sentences
	Facts    []Fact // what it concerns
	Action   string // where it posts
	Submit   string // a verb: "Delete account"
	Danger   bool
	Back     string // where Cancel leads
	Password bool   // asks for the password again, as current_password
	Values   map[string]string
	Problems problem.Invalid
	Refused  string // why it cannot be done; there is no button then

	WholePage bool // the answer is a page and not another window: a secret that is shown once
}

// posts are the attributes of the question's form.
func (v ConfirmView) posts() templ.Attributes {
	if v.WholePage {
		return nil
	}
	return WindowForm(v.Action)
}

// Fact is a name and a value in a small table.
type Fact struct {
	Label string
	Value string
	Mono  bool
}

// CurrentPassword is the field that asks for the password of whoever is signed in.
const CurrentPassword = "current_password"

// WindowLink makes a link open its page in the window.
func WindowLink(href string) templ.Attributes {
	return templ.Attributes{"hx-get": href, "hx-target": "#" + WindowID, "hx-swap": "innerHTML"}
}

// WindowForm makes a form in a window post from there: what is wrong shows in the window.
func WindowForm(action string) templ.Attributes {
	return templ.Attributes{"hx-post": action, "hx-target": "closest .window-body", "hx-swap": "innerHTML"}
}

// form lends the fields of the question what they need of a form.
func (v ConfirmView) form() *FormView { return &FormView{Problems: v.Problems} }
