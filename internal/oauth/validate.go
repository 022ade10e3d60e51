package oauth

import (
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"orbit/internal/problem"
)

const (
	maxURL   = 2000 // what browsers and providers agree on
	maxScope = 4000
)

var patternForm = regexp.MustCompile(`^(@|@[^@\s]+|[^@\s]+@[^@\s]+)$`)

// Validate returns everything that is wrong with cleaned settings, by field.
func (s Settings) Validate() problem.Invalid {
	var wrong problem.Invalid
	if !patternForm.MatchString(s.Pattern) {
		wrong.Add("pattern", "Give an address (alerts@example.com), a domain (@example.com) or @ for every registered credential.")
	}
	if s.Flow != "" && !slices.Contains(Flows(), s.Flow) {
		wrong.Add("flow", "%q is not a flow. Choose one of %s.", s.Flow, joinFlows())
	}
	if s.ClientID == "" {
		wrong.Add("client_id", "Give the client id that the provider shows for the application.")
	}
	s.validateEndpoints(&wrong)
	s.validateScope(&wrong)
	s.validateRedirect(&wrong)
	return wrong
}

func joinFlows() string {
	names := make([]string, 0, len(Flows()))
	for _, f := range Flows() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

func (s Settings) validateEndpoints(wrong *problem.Invalid) {
	checkURL(wrong, "token_url", s.TokenURL, "Give the token URL of the provider.")
	permission, device := "", ""
	switch s.EffectiveFlow() {
	case AuthorizationCode:
		permission = "Give the permission URL where people consent; authorization_code needs it."
	case DeviceCode:
		device = "Give the device code URL; the device flow starts there."
	case ClientCredentials, ServiceAccount, Password:
	}
	checkURL(wrong, "permission_url", s.PermissionURL, permission)
	checkURL(wrong, "device_url", s.DeviceURL, device)
	checkURL(wrong, "issuer", s.Issuer, "")
}

// checkURL checks an address that requests are sent to; missing is the sentence when it may not be empty.
func checkURL(wrong *problem.Invalid, field, value, missing string) {
	if value == "" {
		if missing != "" {
			wrong.Add(field, "%s", missing)
		}
		return
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Host == "" || len(value) > maxURL:
		wrong.Add(field, "%q is not a complete address. It starts with https:// and names a host.", value)
	case strings.Contains("."+u.Hostname()+".", ".."):
		wrong.Add(field, "%q is not the name of a host.", u.Hostname())
	case u.User != nil || u.Fragment != "":
		wrong.Add(field, "The address must not contain a user name or a part behind #.")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		wrong.Add(field, "Use https: secrets are sent to this address.")
	case u.Scheme != "https" && u.Scheme != "http":
		wrong.Add(field, "Use https, not %q.", u.Scheme)
	}
}

func (s Settings) validateScope(wrong *problem.Invalid) {
	switch {
	case s.Scope == "" && s.EffectiveFlow() == Password && s.Resource != "":
	case s.Scope == "":
		wrong.Add("scope", "Give the scopes, separated by blanks.")
	case len(s.Scope) > maxScope || strings.ContainsFunc(s.Scope, notInScope):
		wrong.Add("scope", "The scope contains characters that no scope has.")
	}
}

// notInScope is what RFC 6749 3.3 leaves out of a scope.
func notInScope(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }

func (s Settings) validateRedirect(wrong *problem.Invalid) {
	checkURL(wrong, "redirect_uri", s.RedirectURI, "")
	if s.RedirectListenAddress == "" {
		return
	}
	if _, err := ListenAddress(s.RedirectListenAddress); err != nil {
		wrong.Add("redirect_listen_address", "%s", err.Error())
	}
}

// ListenAddress turns a redirect_listen_address, a URL or host:port, into host:port. Port 80 is the default,
// as in email-oauth2-proxy. It speaks plain HTTP, so it has to be on this machine.
func ListenAddress(value string) (string, error) {
	text := value
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" || u.Hostname() == "" {
		return "", problem.Refuse("%q is not an address to listen on. Give one like http://127.0.0.1:8801/.", value)
	}
	port := 80
	if p := u.Port(); p != "" {
		if port, err = strconv.Atoi(p); err != nil || port < 1 || port > 65535 {
			return "", problem.Refuse("%q names no port between 1 and 65535.", value)
		}
	}
	if !isLoopback(u.Hostname()) {
		return "", problem.Refuse("%q is not on this machine. The redirect listener speaks plain HTTP: listen on 127.0.0.1 and put a reverse proxy with https before it.", value)
	}
	return net.JoinHostPort(u.Hostname(), strconv.Itoa(port)), nil
}
