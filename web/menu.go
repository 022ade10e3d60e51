package web

import (
	"net/http"
	"strings"

	"orbit/internal/identity"
	"orbit/web/ui"
)

// gridMenu is the Grid Menu, the nine squares. An entry shows when its page exists and the role may see it.
var gridMenu = []ui.Link{
	{Label: "Settings", Href: "/settings", Icon: "settings", About: "Accounts, credentials, connectors, users"},
	{Label: "Approvals", Href: "/approvals", Icon: "clipboard-check", About: "Access requests that wait for an answer"},
	{Label: "Sent", Href: "/settings/notifications/sent", Icon: "mail-forward", About: "Every notification and what became of it"},
	{Label: "Health", Href: "/health", Icon: "heartbeat", About: "What runs, and what needs attention"},
}

// settingsMenu is the side menu of Settings, in the order and the words of the document.
var settingsMenu = []ui.LinkGroup{
	{Label: "Notifications", Links: []ui.Link{
		{Label: "SMTP Configuration", Href: "/settings/notifications/smtp", Icon: "mail-cog"},
		{Label: "IMAP/POP3 Configuration", Href: "/settings/notifications/imap-pop3", Icon: "inbox"},
		{Label: "Email OAuth 2.0 proxy", Href: "/settings/notifications/oauth2-proxy", Icon: "shield-lock"},
		{Label: "Settings", Href: "/settings/notifications/rules", Icon: "bell"},
		{Label: "Contacts", Href: "/settings/notifications/contacts", Icon: "users-group"},
		{Label: "Texts", Href: "/settings/notifications/texts", Icon: "template"},
		{Label: "List sent", Href: "/settings/notifications/sent", Icon: "mail-forward"},
		{Label: "Webhooks", Href: "/settings/notifications/webhooks", Icon: "link"},
	}},
	{Links: []ui.Link{
		{Label: "Credentials", Href: "/settings/credentials", Icon: "key"},
		{Label: "Network Connectors", Href: "/settings/network-connectors", Icon: "route"},
		{Label: "System Parameters", Href: "/settings/system-parameters/application", Icon: "forms"},
		{Label: "Users", Href: "/settings/users", Icon: "users"},
		{Label: "Approver groups", Href: "/settings/approver-groups", Icon: "clipboard-check"},
		{Label: "API tokens", Href: "/settings/api-tokens", Icon: "api"},
		{Label: "Audit", Href: "/settings/audit", Icon: "history"},
		{Label: "Jobs", Href: JobsPath, Icon: "list-details"},
	}},
}

// personMenu is what belongs to whoever is signed in.
var personMenu = []ui.Link{
	{Label: "Your profile", Href: "/profile", Icon: "user-circle"},
}

// visible keeps the links whose page exists and that role may see, and marks the one to path.
func (s *Server) visible(links []ui.Link, role identity.Role, path string) []ui.Link {
	var kept []ui.Link
	for _, l := range links {
		if n, exists := s.needs[l.Href]; exists && n.allows(role) {
			l.Here = under(entered(path), l.Href)
			kept = append(kept, l)
		}
	}
	return kept
}

// settingsFor is the side menu for role, without empty groups.
func (s *Server) settingsFor(role identity.Role, path string) []ui.LinkGroup {
	var groups []ui.LinkGroup
	for _, g := range settingsMenu {
		if links := s.visible(g.Links, role, path); len(links) > 0 {
			groups = append(groups, ui.LinkGroup{Label: g.Label, Links: links})
		}
	}
	return groups
}

// under reports whether path is the page at root or below it.
func under(path, root string) bool {
	return path == root || strings.HasPrefix(path, strings.TrimSuffix(root, "/")+"/")
}

// entered is the path by which the menu leads to a page: event types are a part of the notifications that name them.
func entered(path string) string {
	if under(path, eventTypesPath) {
		return rulesPath + "/event-types" + strings.TrimPrefix(path, eventTypesPath)
	}
	return path
}

// crumbs is the way to a page: Settings, the group, the entry of the menu, the page itself.
func crumbs(path, title string) []ui.Link {
	if !under(path, "/settings") || path == "/settings" {
		return nil
	}
	way, path := []ui.Link{{Label: "Settings", Href: "/settings"}}, entered(path)
	for _, g := range settingsMenu {
		for _, l := range g.Links {
			if !under(path, l.Href) {
				continue
			}
			if g.Label != "" {
				way = append(way, ui.Link{Label: g.Label})
			}
			if path != l.Href {
				way = append(way, ui.Link{Label: l.Label, Href: l.Href})
			}
		}
	}
	return append(way, ui.Link{Label: title})
}

// showSettings leads to the first page of the side menu.
func (s *Server) showSettings(w http.ResponseWriter, r *http.Request) error {
	groups := s.settingsFor(identity.UserFrom(r.Context()).Role, "")
	if len(groups) == 0 {
		return s.notFound(w, r)
	}
	http.Redirect(w, r, groups[0].Links[0].Href, http.StatusSeeOther)
	return nil
}
