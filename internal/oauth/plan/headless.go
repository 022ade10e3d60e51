package plan

import (
	"slices"
	"strings"

	"orbit/internal/oauth"
)

// The widely copied example lost its section headers on the way to the page it is printed on. Which section
// a key belongs to can still be told from the key, and the kind of a server from its port.

var globalKeys = []string{
	"delete_account_token_on_password_error", "encrypt_client_secret_on_first_use",
	"use_login_password_as_client_credentials_secret", "allow_catch_all_accounts",
}

var serverKeys = []string{
	"server_address", "server_port", "local_address", "server_starttls", "starttls", "local_starttls",
	"local_certificate_path", "local_key_path", "plugins",
}

// addHeaders puts items that stand before the first header into the sections they must have come from.
func addHeaders(sections []section) ([]section, []oauth.Note) {
	if len(sections) == 0 || sections[0].name != "" {
		return sections, nil
	}
	var found []section
	var notes []oauth.Note
	for _, it := range sections[0].items {
		if strings.Contains(it.key, " ") { // of the page around the example: "Below you can see ...:"
			notes = append(notes, oauth.Note{Where: it.key, Why: "No setting; ignored."})
			continue
		}
		kind := kindOf(it.key)
		last := len(found) - 1
		if last < 0 || found[last].name != kind || repeats(found[last], it.key) {
			found = append(found, section{name: kind, line: it.line})
			last++
		}
		found[last].items = append(found[last].items, it)
	}
	for i := range found {
		if found[i].name == "server" {
			found[i].name = serverName(found[i])
		}
		notes = append(notes, oauth.Note{
			Where: found[i].items[0].key, Was: "(no section)", Now: "[" + found[i].name + "]",
			Why: "The section header is missing; the key tells where it belongs.",
		})
	}
	return append(found, sections[1:]...), notes
}

func repeats(s section, key string) bool {
	_, twice := s.get(key)
	return twice
}

func kindOf(key string) string {
	switch {
	case slices.Contains(globalKeys, key):
		return globalSection
	case slices.Contains(serverKeys, key):
		return "server"
	}
	return "@"
}

// serverName guesses protocol and local port from the server's port; the local ports are those of the example.
func serverName(s section) string {
	port, _ := s.get("server_port")
	switch port {
	case "993", "143":
		return "IMAP-2993"
	case "995", "110":
		return "POP-2995"
	}
	return "SMTP-2465"
}
