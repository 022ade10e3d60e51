package plan

import (
	"regexp"
	"strconv"
	"strings"

	"orbit/internal/oauth"
	"orbit/internal/vault"
)

const globalSection = "emailproxy"

// accountNames says which key of an account section a setting comes from.
var accountNames = map[string]string{"scope": "oauth2_scope", "flow": "oauth2_flow", "resource": "oauth2_resource"}

var serverHeader = regexp.MustCompile(`^(IMAP|POP|SMTP)-(\d+)$`)

// Import reads a configuration of email-oauth2-proxy.
func Import(text string, o Options) Plan {
	sections, wrong := parseINI(text)
	i := importer{options: o, plan: Plan{Problems: wrong}}
	sections, i.plan.Notes = addHeaders(sections)
	for _, s := range sections {
		if s.name == globalSection {
			i.global = s
		}
	}
	i.readGlobal(sections)
	for _, s := range sections {
		switch {
		case s.name == globalSection:
		case serverHeader.MatchString(s.name):
			i.server(s)
		case strings.Contains(s.name, "@"):
			i.account(s)
		default:
			i.note(0, s, "", "", "Neither [emailproxy], a server ([IMAP-2993]) nor an account ([somebody@example.com], [@example.com], [@]); ignored.")
		}
	}
	if len(i.plan.Registrations)+len(i.plan.Listeners) == 0 && len(i.plan.Problems) == 0 {
		i.plan.Problems.Add("config", "There is no account and no server in this text.")
	}
	i.plan.finish(accountNames)
	i.plan.completeServers()
	i.replyWords(text)
	return i.plan
}

type importer struct {
	options Options
	plan    Plan
	global  section
}

// note adds a note about a key of a section. Values that are secrets, or of keys that nobody knows, are in no note.
func (i *importer) note(rule oauth.Rule, s section, key, now, why string) {
	value, given := s.get(key)
	switch {
	case now == "":
		value = ""
	case key == "client_secret":
		value, now = "(a secret in quotes)", "(the secret)"
	case !given && key != "":
		value = "(not given)"
	}
	i.plan.Notes = append(i.plan.Notes, oauth.Note{Rule: rule, Where: strings.TrimSpace("[" + s.name + "] " + key), Was: value, Now: now, Why: why})
}

// truth reads a switch as ConfigParser's getboolean does.
func truth(s section, key string, standard bool) bool {
	value, _ := s.get(key)
	switch strings.ToLower(value) {
	case "1", "yes", "true", "on":
		return true
	case "0", "no", "false", "off":
		return false
	}
	return standard
}

func (i *importer) readGlobal(sections []section) {
	s := i.global
	s.name = globalSection
	if truth(s, "delete_account_token_on_password_error", true) {
		i.note(oauth.DeletesTokens, s, "delete_account_token_on_password_error", "False",
			"One wrong local password would erase the grant, so anybody who reaches the port could. Orbit never deletes a grant for that; it delays and counts failures.")
	}
	if !truth(s, "encrypt_client_secret_on_first_use", false) && anySecret(sections) {
		i.note(oauth.ClearTextSecret, s, "encrypt_client_secret_on_first_use", "True",
			"The client secret would stay in clear text on disk. Orbit stores every secret sealed.")
	}
	if truth(s, "use_login_password_as_client_credentials_secret", false) {
		i.note(0, s, "use_login_password_as_client_credentials_secret", "False",
			"Orbit does not take what a mail program sends for the client secret. Enter the secret at the registration.")
	}
	for _, it := range s.items {
		if kindOf(it.key) != globalSection {
			i.note(0, s, it.key, "", "Not a setting of this section; ignored.")
		}
	}
}

func anySecret(sections []section) bool {
	for _, s := range sections {
		if value, _ := s.get("client_secret"); value != "" {
			return true
		}
	}
	return false
}

var protocols = map[string]Protocol{"IMAP": IMAP, "POP": POP3, "SMTP": SMTP}

// server reads an [IMAP-2993].
func (i *importer) server(s section) {
	m := serverHeader.FindStringSubmatch(s.name)
	l := Listener{Protocol: protocols[m[1]], LocalPort: i.port(s, "", m[2]), LocalAddress: loopback}
	l.ServerAddress, _ = s.get("server_address")
	if port, _ := s.get("server_port"); port != "" {
		l.ServerPort = i.port(s, "server_port", port)
	} else {
		l.ServerPort = standardPorts[l.Protocol]
		i.note(0, s, "server_port", strconv.Itoa(l.ServerPort), "email-oauth2-proxy does not start without it; this is the usual port of "+strings.ToUpper(string(l.Protocol))+".")
	}
	l.LocalCertificate, _ = s.get("local_certificate_path")
	l.LocalKey, _ = s.get("local_key_path")
	i.serverSTARTTLS(s, &l)
	l.LocalSTARTTLS = l.Protocol == SMTP && truth(s, "local_starttls", false)
	if l.LocalSTARTTLS && (l.LocalCertificate == "" || l.LocalKey == "") {
		i.plan.Problems.Add("["+s.name+"] local_starttls", "STARTTLS on the local side needs local_certificate_path and local_key_path.")
	}
	i.localAddress(s, &l)
	i.unknownServerKeys(s)
	i.plan.Listeners = append(i.plan.Listeners, l)
}

func (i *importer) port(s section, key, value string) int {
	port, err := strconv.Atoi(value)
	if err != nil || port < 1 || port > 65535 {
		i.plan.Problems.Add(strings.TrimSpace("["+s.name+"] "+key), "%q is no port between 1 and 65535.", value)
		return 0
	}
	return port
}

func (i *importer) serverSTARTTLS(s section, l *Listener) {
	_, legacy := s.get("starttls")
	l.STARTTLS = truth(s, "server_starttls", truth(s, "starttls", false))
	if legacy {
		i.note(oauth.LegacySTARTTLS, s, "starttls", "server_starttls = "+yesNo(l.STARTTLS), "starttls is the old spelling of server_starttls; it says how the server is reached, not the mail program.")
	}
	if l.Protocol != SMTP && l.STARTTLS {
		i.note(0, s, "server_starttls", "True", "email-oauth2-proxy knows STARTTLS for SMTP only and would have used TLS from the first byte; Orbit uses STARTTLS as the file says.")
	}
}

// localAddress keeps a listener on this machine unless its own side is encrypted.
func (i *importer) localAddress(s section, l *Listener) {
	given, _ := s.get("local_address")
	encrypted := l.LocalCertificate != "" && l.LocalKey != ""
	switch {
	case given == "":
		i.note(oauth.ListensEverywhere, s, "local_address", loopback,
			"Without local_address email-oauth2-proxy listens on every interface (::), in plain text. Orbit listens on this machine only.")
	case given == "localhost", given == "::1", strings.HasPrefix(given, "127."), encrypted:
		l.LocalAddress = given
	default:
		i.note(oauth.ListensEverywhere, s, "local_address", loopback,
			"Mail programs would send passwords in plain text over the network. Give the listener a certificate first, then another address.")
	}
}

func (i *importer) unknownServerKeys(s section) {
	for _, it := range s.items {
		switch {
		case it.key == "plugins":
			i.note(0, s, it.key, "", "Orbit's proxy has no plugins; ignored.")
		case kindOf(it.key) != "server" && it.key != "documentation":
			i.note(0, s, it.key, "", "Not a setting of a server; ignored.")
		}
	}
}

// replyWords tells of the words for approving, which differ between the pages that the example comes from.
func (i *importer) replyWords(text string) {
	upper := strings.ToUpper(text)
	disapprove, reject := strings.Contains(upper, "DISAPPROVE"), strings.Contains(upper, "REJECT")
	if !disapprove && !reject && !strings.Contains(text, misspelledListen) {
		return
	}
	was := "APPROVE/DISAPPROVE and APPROVE/REJECT"
	i.plan.Notes = append(i.plan.Notes, oauth.Note{Rule: oauth.ReplyWordsDiffer, Where: "reply words", Was: was, Now: "APPROVE, and both DISAPPROVE and REJECT",
		Why: "The documentation that this example comes from names two different words for a refusal. Approvers may answer with either."})
}

func secretOf(value string) oauth.NewSecret { return oauth.NewSecret{Secret: vault.NewSecret(value)} }
