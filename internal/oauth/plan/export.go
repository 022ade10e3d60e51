package plan

import (
	"fmt"
	"strings"

	"orbit/internal/oauth"
)

// Export writes a configuration that email-oauth2-proxy reads. Secrets are in it only when the registrations
// carry them. What that proxy cannot express is said in the notes and in comments of the file.
func Export(registrations []Registration, listeners []Listener, redirectURI string) (string, []oauth.Note) {
	e := exporter{redirectURI: redirectURI}
	e.sections = []section{{name: globalSection, items: []item{
		{key: "delete_account_token_on_password_error", value: "False"},
		{key: "encrypt_client_secret_on_first_use", value: "False"},
		{key: "allow_catch_all_accounts", value: yesNo(catchAll(registrations))},
	}}}
	for _, l := range listeners {
		e.listener(l)
	}
	for _, r := range registrations {
		e.registration(r)
	}
	return "# Written by Orbit for email-oauth2-proxy.\n" + e.comments() + "\n" + writeINI(e.sections), e.notes
}

type exporter struct {
	redirectURI string
	sections    []section
	notes       []oauth.Note
}

func (e *exporter) comments() string {
	var b strings.Builder
	for _, n := range e.notes {
		fmt.Fprintf(&b, "# %s: %s\n", n.Where, strings.ReplaceAll(n.Why, "\n", " "))
	}
	return b.String()
}

func (e *exporter) note(s, key, why string) {
	e.notes = append(e.notes, oauth.Note{Where: "[" + s + "] " + key, Why: why})
}

func yesNo(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

func catchAll(registrations []Registration) bool {
	for _, r := range registrations {
		if r.CatchAll() {
			return true
		}
	}
	return false
}

func (e *exporter) listener(l Listener) {
	s := section{name: l.Name()}
	s.add("server_address", l.ServerAddress)
	s.add("server_port", fmt.Sprint(l.ServerPort))
	s.add("local_address", l.LocalAddress)
	if l.STARTTLS {
		s.add("server_starttls", "True")
		if l.Protocol != SMTP {
			e.note(s.name, "server_starttls", "email-oauth2-proxy knows STARTTLS for SMTP only; this server cannot be reached by it.")
		}
	}
	switch {
	case l.ServerCA != "":
		e.note(s.name, "server_address", "Its certificate is from an authority of your own: start email-oauth2-proxy with SSL_CERT_FILE naming a file that has it.")
	case l.ServerPin != "":
		e.note(s.name, "server_address", "Orbit expects the certificate with the SHA-256 fingerprint "+l.ServerPin+"; email-oauth2-proxy cannot, and verifies it by the system's authorities.")
	}
	if l.LocalSTARTTLS {
		s.add("local_starttls", "True")
	}
	s.add("local_certificate_path", l.LocalCertificate)
	s.add("local_key_path", l.LocalKey)
	e.sections = append(e.sections, s)
}

// add appends a key unless its value is empty.
func (s *section) add(key, value string) {
	if value != "" {
		s.items = append(s.items, item{key: key, value: value})
	}
}

func (e *exporter) registration(r Registration) {
	s := section{name: r.Pattern}
	flow := r.EffectiveFlow()
	switch flow {
	case oauth.AuthorizationCode:
		s.add("permission_url", r.PermissionURL)
		s.add("redirect_uri", or(r.RedirectURI, e.redirectURI))
		s.add("redirect_listen_address", r.RedirectListenAddress)
		s.add("use_pkce", "True")
	case oauth.DeviceCode:
		s.add("permission_url", r.DeviceURL)
	case oauth.ClientCredentials, oauth.ServiceAccount, oauth.Password:
	}
	s.add("token_url", r.TokenURL)
	s.add("oauth2_scope", r.Scope)
	s.add("oauth2_resource", r.Resource)
	s.add("oauth2_flow", string(flow))
	if flow == oauth.ServiceAccount {
		s.add("client_id", "key")
	} else {
		s.add("client_id", r.ClientID)
	}
	e.secret(&s, r)
	e.sections = append(e.sections, s)
}

func (e *exporter) secret(s *section, r Registration) {
	switch {
	case !r.Secret.ServiceAccount.IsZero():
		s.add("client_secret", strings.TrimSpace(r.Secret.ServiceAccount.Reveal()))
	case !r.Secret.Secret.IsZero():
		s.add("client_secret", r.Secret.Secret.Reveal())
	case r.Secret.Certificate != "":
		s.add("jwt_certificate_path", fileName(r.Pattern)+".crt")
		s.add("jwt_key_path", fileName(r.Pattern)+".key")
		e.note(s.name, "jwt_certificate_path", "Save the client certificate and its key in these files (PEM).")
	default:
		e.note(s.name, "client_secret", "Not exported. Fill it in if the client has one.")
	}
}

// fileName makes a pattern fit for a file.
func fileName(pattern string) string {
	name := strings.Trim(strings.NewReplacer("@", "-at-", "/", "-", " ", "-").Replace(pattern), "-.")
	if name == "at" {
		return "catch-all"
	}
	return name
}
