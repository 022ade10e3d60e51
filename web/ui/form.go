package ui

import (
	"bytes"
	"context"
	"io"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"orbit/internal/problem"
)

// FormView is a form around its fields. Each field is handed the form, so that what was typed and what was wrong
// with it come back without the page doing anything.
type FormView struct {
	ID       string            // id in the page; "form" when empty
	Action   string            // where it posts
	Submit   string            // the button, a verb: "Send"
	Hint     string            // beside the button: "Saves the account"
	Cancel   string            // where Cancel leads; no button when empty
	Version  int               // of the record that was read; 0 for a new one
	Typed    map[string]string // what was typed, when the form comes back
	Problems problem.Invalid   // what was wrong, when the form comes back
	Refused  string            // why it could not be done, when that is no field's fault
	Conflict *problem.Conflict // somebody else saved first
	Confirm  *problem.Confirm  // saving has a consequence to accept
	ReadOnly bool              // shown to somebody who may not change it
	Aside    templ.Component   // right of the form: the live summary
	Extra    templ.Component   // more buttons beside Submit: "Test configuration"
	Quiet    bool              // leaving without saving does not ask: filters, sign-in

	fields []seenField
}

// seenField is a field that the page has shown, in page order.
type seenField struct{ name, id, label string }

// Option is one choice of a select or of radio buttons.
type Option struct {
	Value    string
	Label    string
	Help     string // radio buttons only
	Disabled bool
}

// Condition ties a field to another one: it is shown, or enabled, only while Field has one of the Values.
type Condition struct {
	Field  string
	Values []string
	Met    bool // now, as the server sees it
}

// Field is one input with its label, its help and what is wrong with it.
type Field struct {
	Name         string // as it is posted
	ID           string // "field-" + Name when empty; a second form on the page needs its own
	Label        string
	Value        string
	Help         string // under the field
	Problem      string // beside the field; a form that comes back fills it in
	Required     bool
	Disabled     bool
	ReadOnly     bool
	Placeholder  string
	Autocomplete string // the browser's hint; "off" when empty
	Unit         string // beside a number: "seconds"
	Min, Max     int    // of a number; both 0: no bounds
	MaxLength    int
	Rows         int       // of a text area
	Mono         bool      // machine text: certificates, commands
	Options      []Option  // of a select or radio buttons
	Suggestions  []string  // of a text: a list to choose from
	Stored       bool      // of a secret: one is stored
	ShownWhen    Condition // dependent fields appear in place
	EnabledWhen  Condition
	Beside       templ.Component // right of the input: "New credential"
	Attributes   templ.Attributes
}

// When returns a condition on a Yes/No field.
func When(field string, yes bool) Condition {
	return Condition{Field: field, Values: []string{"yes"}, Met: yes}
}

// WhenIs returns a condition on a field that now has the value present.
func WhenIs(field, present string, values ...string) Condition {
	c := Condition{Field: field, Values: values}
	for _, value := range values {
		c.Met = c.Met || value == present
	}
	return c
}

// YesOrNo is how a Yes/No switch posts and shows b.
func YesOrNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// Form shows v around its children: first the summary of what is wrong, then the fields, then the buttons. The
// children are rendered before the summary that stands above them, because they tell their labels.
func Form(v *FormView) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		var body bytes.Buffer
		children := templ.GetChildren(ctx)
		ctx = templ.ClearChildren(ctx)
		v.fields = nil
		if err := children.Render(ctx, &body); err != nil {
			return err
		}
		return formShell(v, templ.Raw(body.String())).Render(ctx, w)
	})
}

func (v *FormView) id() string {
	if v.ID == "" {
		return "form"
	}
	return v.ID
}

// fill gives a field what the form knows of it, and remembers that the page has it.
func (v *FormView) fill(f Field) Field {
	if f.ID == "" {
		f.ID = "field-" + f.Name
	}
	v.fields = append(v.fields, seenField{name: f.Name, id: f.ID, label: f.Label})
	if f.Problem == "" {
		f.Problem = v.Problems.For(f.Name)
	}
	if typed, ok := v.Typed[f.Name]; ok {
		f.Value = typed
	}
	f.Disabled = f.Disabled || v.ReadOnly
	return f
}

// problemLine is one line of the summary.
type problemLine struct{ href, label, text string }

// lines lists the problems in page order; those of no field on the page come first.
func (v *FormView) lines() []problemLine {
	var lines []problemLine
	shown := map[string]bool{}
	for _, f := range v.fields {
		shown[f.name] = true
	}
	for _, p := range v.Problems {
		if !shown[p.Name] {
			lines = append(lines, problemLine{text: p.Text})
		}
	}
	for _, f := range v.fields {
		if text := v.Problems.For(f.name); text != "" && shown[f.name] {
			shown[f.name] = false // a group of radio buttons registers once
			lines = append(lines, newProblemLine(f, text))
		}
	}
	return lines
}

// newProblemLine links the field's name; a sentence that begins with it is not given it twice.
func newProblemLine(f seenField, text string) problemLine {
	if rest, found := strings.CutPrefix(text, f.label+" "); found {
		return problemLine{href: "#" + f.id, label: f.label, text: " " + rest}
	}
	return problemLine{href: "#" + f.id, label: f.label, text: ": " + text}
}

// describedBy lists the ids of help and problem, for screen readers.
func (f Field) describedBy() string {
	ids := ""
	if f.Problem != "" {
		ids = f.ID + "-problem"
	}
	if f.Help != "" {
		if ids != "" {
			ids += " "
		}
		ids += f.ID + "-help"
	}
	return ids
}

// attributes are those that every kind of input has.
func (f Field) attributes() templ.Attributes {
	a := templ.Attributes{"id": f.ID, "name": f.Name, "required": f.Required, "disabled": f.Disabled, "readonly": f.ReadOnly}
	if ids := f.describedBy(); ids != "" {
		a["aria-describedby"] = ids
	}
	if f.Problem != "" {
		a["aria-invalid"] = "true"
	}
	if f.Placeholder != "" {
		a["placeholder"] = f.Placeholder
	}
	if f.Disabled {
		a["data-off-always"] = true // form.js enables only what conditions disabled
	}
	if f.MaxLength > 0 {
		a["maxlength"] = strconv.Itoa(f.MaxLength)
	}
	return attributes(a, f.Attributes)
}

// typedAttributes adds what inputs have that people type into.
func (f Field) typedAttributes() templ.Attributes {
	a := f.attributes()
	a["autocomplete"] = "off"
	if f.Autocomplete != "" {
		a["autocomplete"] = f.Autocomplete
	}
	if len(f.Suggestions) > 0 {
		a["list"] = f.ID + "-list"
	}
	return a
}

func (f Field) numberAttributes() templ.Attributes {
	a := f.typedAttributes()
	if f.Min != 0 || f.Max != 0 {
		a["min"], a["max"] = strconv.Itoa(f.Min), strconv.Itoa(f.Max)
	}
	return a
}
