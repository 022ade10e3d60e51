package identity

import "orbit/internal/problem"

// userFields are what an editor sees of a user, in the form's order.
var userFields = []struct {
	name, label string
	value       func(User) string
}{
	{"username", "Username", func(u User) string { return u.Username }},
	{"full_name", "Full name", func(u User) string { return u.FullName }},
	{"email", "E-mail", func(u User) string { return u.Email }},
	{"role", "Role", func(u User) string { return u.Role.Label() }},
	{"language", "Language", func(u User) string { return u.Language.Label() }},
	{"time_zone", "Time zone", func(u User) string { return u.TimeZone }},
	{"active", "Active", func(u User) string { return yesNo(u.Active) }},
}

func yesNo(yes bool) string {
	if yes {
		return "Yes"
	}
	return "No"
}

// differences lists the fields in which typed differs from stored.
func differences(stored, typed User) []problem.Change {
	var changed []problem.Change
	for _, f := range userFields {
		if f.value(stored) != f.value(typed) {
			changed = append(changed, problem.Change{
				Field: f.name, Label: f.label, Stored: f.value(stored), Yours: f.value(typed),
			})
		}
	}
	return changed
}

// conflict says that stored was changed since the editor has read what became typed.
func conflict(stored, typed User) error {
	who := stored.ChangedBy
	if who == "" {
		who = "somebody else"
	}
	return &problem.Conflict{What: "User " + stored.Username, Who: who, Changed: differences(stored, typed)}
}
