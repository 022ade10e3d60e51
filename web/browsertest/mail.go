package browsertest

// mailRules are those that a mail can keep; what is around it is the mail program's.
const mailRules = `{type: "rule", values: ["color-contrast", "link-in-text-block", "link-name", "target-size", "html-has-lang", "scope-attr-valid", "list"]}`

// mailVariants are the widths of a phone and of a reading pane, in both themes.
var mailVariants = []Variant{
	{"360-light", 360, 740, false},
	{"360-dark", 360, 740, true},
	{"800-light", 800, 800, false},
	{"800-dark", 800, 800, true},
}

// CheckMail looks at mails as their readers see them: axe-core finds nothing, nothing is wider than the window, and a
// screenshot is taken as name. Colours depend on the theme alone and sizes on the width, so axe-core is asked about one
// variant of each, unless the run is thorough.
func (tab *Tab) CheckMail(name string) {
	tab.t.Helper()
	for _, v := range mailVariants {
		tab.Show(v)
		if v.Dark == (v.Width < 500) || thorough() {
			tab.axe(v.Name, mailRules)
		}
		tab.fits(v.Name)
		tab.Screenshot(name + "-" + v.Name)
	}
	tab.Show(Variants[0])
}
