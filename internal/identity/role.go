package identity

// Role says what a person or an API token may do. It is the whole of Orbit's authorisation: a route names the
// role it needs in web/server.go, and nothing else decides.
type Role string

// The roles, from the one that may do most to the one that may do least.
const (
	Administrator Role = "administrator" // changes everything
	Operator      Role = "operator"      // views and tests
	Auditor       Role = "auditor"       // reads
	Member        Role = "member"        // approves requests, sees no settings
)

// Roles lists every role in the order in which a drop-down shows them.
func Roles() []Role { return []Role{Administrator, Operator, Auditor, Member} }

// Valid reports whether r is one of the roles.
func (r Role) Valid() bool {
	switch r {
	case Administrator, Operator, Auditor, Member:
		return true
	}
	return false
}

// CanView reports whether r may read settings.
func (r Role) CanView() bool { return r == Administrator || r == Operator || r == Auditor }

// CanTest reports whether r may press "Test configuration".
func (r Role) CanTest() bool { return r == Administrator || r == Operator }

// CanChange reports whether r may change settings.
func (r Role) CanChange() bool { return r == Administrator }

// Label is the role's name for people.
func (r Role) Label() string {
	switch r {
	case Administrator:
		return "Administrator"
	case Operator:
		return "Operator"
	case Auditor:
		return "Auditor"
	case Member:
		return "Member"
	}
	return string(r)
}

// Explain says in one sentence what r may do.
func (r Role) Explain() string {
	switch r {
	case Administrator:
		return "Sees and changes everything, users and secrets included."
	case Operator:
		return "Sees the settings and tests accounts, changes nothing."
	case Auditor:
		return "Reads the settings and the audit trail."
	case Member:
		return "Answers access requests under Approvals, sees no settings."
	}
	return ""
}
