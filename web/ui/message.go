package ui

// messageRole makes screen readers speak at once only what must not be missed.
func messageRole(tone Tone) string {
	if tone == Bad || tone == Warning {
		return "alert"
	}
	return "status"
}

func bellLabel(n int) string {
	if n == 0 {
		return "Notices: nothing needs attention"
	}
	return "Notices: " + Count(n, "thing needs", "things need") + " attention"
}

// current is the value of aria-current for an entry of a menu.
func current(l Link) string {
	if l.Here {
		return "page"
	}
	return "false"
}

func (t TimeView) never() string {
	if t.Never == "" {
		return "never"
	}
	return t.Never
}
