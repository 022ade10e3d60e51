package ui

// messageRole makes screen readers speak at once only what must not be missed.
func messageRole(tone Tone) string {
	if tone == Bad || tone == Warning {
		return "alert"
	}
	return "status"
}

func bellLabel(v BellView) string {
	label := "Notices: nothing needs attention"
	if n := len(v.Notices); n > 0 {
		label = "Notices: " + Count(n, "thing needs", "things need") + " attention"
	}
	if v.Unread > 0 {
		label += ", " + bellCount(v.Unread) + " unread"
	}
	return label
}

// bellCount is a number that fits above the bell.
func bellCount(n int) string {
	if n > 99 {
		return "99+"
	}
	return Number(n)
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
