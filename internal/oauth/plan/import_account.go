package plan

import (
	"strings"

	"orbit/internal/oauth"
	"orbit/internal/oauth/endpoint"
	"orbit/internal/vault"
)

const misspelledListen = "redirect_list_address"

// cacheKeys are what email-oauth2-proxy writes itself, encrypted with the mail program's password.
var cacheKeys = map[string]bool{
	"token_salt": true, "token_iterations": true, "access_token": true, "access_token_expiry": true, "refresh_token": true, "last_activity": true,
}

// account reads a [somebody@example.com], [@example.com] or [@].
func (i *importer) account(s section) {
	if strings.HasPrefix(s.name, "@") && !truth(i.global, "allow_catch_all_accounts", false) {
		i.note(0, s, "", "", "Not imported: allow_catch_all_accounts is off, so email-oauth2-proxy ignores this section. Set it to True to import it; in Orbit it then applies to registered credentials only.")
		return
	}
	r := Registration{Settings: oauth.Settings{Pattern: s.name}}
	for _, it := range s.items {
		i.accountKey(s, it, &r)
	}
	i.deviceURL(s, &r)
	i.certificate(s, &r)
	if r.Flow == oauth.ServiceAccount && r.PermissionURL == "" {
		i.serviceAccount(s, &r)
	}
	if r.Flow == "" && r.PermissionURL != "" {
		r.Flow = oauth.AuthorizationCode
	}
	if r.Flow == "" {
		i.plan.Problems.Add("["+s.name+"] oauth2_flow", "Give oauth2_flow, or a permission_url for authorization_code.")
	}
	i.localhostRedirect(s, r)
	i.plan.Registrations = append(i.plan.Registrations, r)
}

// accountKey maps one key.
func (i *importer) accountKey(s section, it item, r *Registration) {
	targets := map[string]*string{
		"permission_url": &r.PermissionURL, "token_url": &r.TokenURL, "oauth2_scope": &r.Scope, "oauth2_resource": &r.Resource,
		"redirect_uri": &r.RedirectURI, "redirect_listen_address": &r.RedirectListenAddress, "client_id": &r.ClientID,
	}
	value := i.unquoted(s, it)
	if target, known := targets[it.key]; known {
		*target = value
		return
	}
	switch {
	case it.key == "oauth2_flow":
		r.Flow = oauth.Flow(strings.ToLower(value))
	case it.key == "client_secret":
		r.Secret = secretOf(value)
	case it.key == misspelledListen:
		i.misspelledListen(s, value, r)
	case it.key == "client_secret_encrypted":
		i.note(0, s, "client_secret_encrypted", "", "Encrypted with the mail program's password, so it cannot be imported. Enter the client secret at the registration.")
	case it.key == "use_pkce":
		if value != "True" {
			i.note(0, s, "use_pkce", "True", "Orbit always uses PKCE.")
		}
	case cacheKeys[it.key]:
		i.cached(s, it.key)
	case it.key == "documentation", it.key == "jwt_certificate_path", it.key == "jwt_key_path":
	default:
		i.note(0, s, it.key, "", "Not a setting of an account; ignored.")
	}
}

// unquoted takes off quotes, which ConfigParser would leave in the value.
func (i *importer) unquoted(s section, it item) string {
	v := it.value
	if len(v) >= 2 && (v[0] == '"' || v[0] == '\'') && v[len(v)-1] == v[0] {
		bare := strings.TrimSpace(v[1 : len(v)-1])
		i.note(oauth.StrayText, s, it.key, bare, "Quotes belong to the command line; in this file they would be part of the value.")
		return bare
	}
	return v
}

func (i *importer) misspelledListen(s section, value string, r *Registration) {
	i.note(oauth.MisspelledListen, s, misspelledListen, "redirect_listen_address = "+value,
		"redirect_list_address is no key of email-oauth2-proxy, which reads redirect_listen_address and silently ignores the other.")
	if _, given := s.get("redirect_listen_address"); !given {
		r.RedirectListenAddress = value
	}
}

// cached says once that the cached tokens stay behind.
func (i *importer) cached(s section, key string) {
	for _, it := range s.items {
		if cacheKeys[it.key] {
			if it.key == key {
				i.plan.Notes = append(i.plan.Notes, oauth.Note{Where: "[" + s.name + "] " + key,
					Why: "Cached tokens are encrypted with the mail program's password and are not imported. Authorise the address once."})
			}
			return
		}
	}
}

// deviceURL moves the device code URL, for which email-oauth2-proxy uses permission_url.
func (i *importer) deviceURL(s section, r *Registration) {
	if r.Flow == oauth.DeviceCode && r.PermissionURL != "" {
		r.DeviceURL, r.PermissionURL = r.PermissionURL, ""
		i.note(0, s, "permission_url", "device_url", "With oauth2_flow = device this is the device code URL.")
	}
}

// certificate reads a certificate and its key, which count only without a client secret.
func (i *importer) certificate(s section, r *Registration) {
	certificate, given := s.get("jwt_certificate_path")
	key, _ := s.get("jwt_key_path")
	switch {
	case !given && key == "":
	case !r.Secret.IsZero():
		i.note(0, s, "jwt_certificate_path", "", "Not imported: with a client_secret email-oauth2-proxy does not use the certificate.")
	case i.options.ReadFile == nil:
		i.note(0, s, "jwt_certificate_path", "", "Paths are not read from here. Enter the certificate and its key at the registration.")
	default:
		r.Secret = oauth.NewSecret{
			Certificate: i.file(s, "jwt_certificate_path", certificate), Key: vault.NewSecret(i.file(s, "jwt_key_path", key)),
			Algorithm: endpoint.RS256, // as email-oauth2-proxy signs
		}
	}
}

func (i *importer) file(s section, key, path string) string {
	content, err := i.options.ReadFile(path)
	if err != nil {
		i.plan.Problems.Add("["+s.name+"] "+key, "%s could not be read: %v.", path, err)
		return ""
	}
	return string(content)
}

// serviceAccount reads Google's JSON key: client_id says whether client_secret holds it or its path.
func (i *importer) serviceAccount(s section, r *Registration) {
	value, _ := s.get("client_secret")
	switch {
	case r.ClientID == "file" && i.options.ReadFile == nil:
		i.plan.Problems.Add("["+s.name+"] client_secret", "Paths are not read from here. Set client_id = key and put the JSON key itself into client_secret, each line indented.")
		return
	case r.ClientID == "file":
		value = i.file(s, "client_secret", value)
	case r.ClientID != "key":
		i.plan.Problems.Add("["+s.name+"] client_id", "With service_account this is the word file or key.")
		return
	}
	r.Secret = oauth.NewSecret{ServiceAccount: vault.NewSecret(value)}
	r.ClientID = or(r.Secret.ClientID(), r.ClientID)
}

// localhostRedirect tells of the sample's redirect URI, which leads to whatever machine the browser runs on.
func (i *importer) localhostRedirect(s section, r Registration) {
	if r.EffectiveFlow() != oauth.AuthorizationCode || i.options.RedirectURI == "" || !strings.HasPrefix(r.RedirectURI, "http://localhost") {
		return
	}
	i.note(0, s, "redirect_uri", "", "Leads to the machine of whoever authorises. Register "+i.options.RedirectURI+" at the provider and leave redirect_uri empty, so that Orbit is called back.")
}
