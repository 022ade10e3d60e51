package credential

import (
	"fmt"
	"strings"

	"orbit/internal/problem"
)

// names are the fields that people edit, as the audit trail and a conflict show them.
type names struct {
	Name     string
	Username string
}

func namesOf(c Credential) names { return names{Name: c.Name, Username: c.Username} }

// conflict shows where the stored credential differs from what was typed; edited may be nil.
func conflict(stored Credential, edited *Credential) error {
	c := &problem.Conflict{What: "credential " + stored.Name, Who: stored.ChangedBy}
	if c.Who == "" {
		c.Who = "somebody else"
	}
	if edited == nil {
		return c
	}
	if stored.Name != edited.Name {
		c.Changed = append(c.Changed, problem.Change{Field: "name", Label: "Name", Stored: stored.Name, Yours: edited.Name})
	}
	if stored.Username != edited.Username {
		c.Changed = append(c.Changed, problem.Change{Field: "username", Label: "Username", Stored: stored.Username, Yours: edited.Username})
	}
	return c
}

// maxListed uses are named before "and 7 more".
const maxListed = 5

// Undeletable says why a credential cannot be deleted, while something points to it.
func (c Credential) Undeletable() (why string, refused bool) {
	if len(c.UsedBy) == 0 {
		return "", false
	}
	return inUse(c).Error(), true
}

// inUse says why a credential cannot be deleted, and where to go first.
func inUse(c Credential) error {
	if len(c.UsedBy) == 0 {
		return problem.Refuse("Credential %s is in use and cannot be deleted. Choose another credential where it is used first.", c.Name)
	}
	return problem.Refuse("Credential %s is used by %s and cannot be deleted. Choose another credential there first.", c.Name, Named(c.UsedBy))
}

// Named is uses in words: "SMTP account Office365, rule Alarms and 7 more".
func Named(uses []Use) string {
	var listed []string
	for _, u := range uses[:min(len(uses), maxListed)] {
		listed = append(listed, u.What+" "+u.Name)
	}
	text := strings.Join(listed, ", ")
	if more := len(uses) - len(listed); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
