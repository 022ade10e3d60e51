package app

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"

	"orbit/internal/config"
	"orbit/internal/sandbox"
	"orbit/internal/sandbox/idp"
)

// identity is what the provider of the demo knows: Orbit as its client, by secret or certificate, and an account for
// programs.
func (d *Demo) identity(c *config.Config) (idp.Options, error) {
	client := idp.DefaultClient()
	client.RedirectURIs = append(client.RedirectURIs, c.BaseURL.JoinPath("email-oauth2-proxy-authorize/").String())
	leaf, err := leafOf(d.state.ClientCertificate.Chain)
	if err != nil {
		return idp.Options{}, fmt.Errorf("read the certificate of the demo's client: %w", err)
	}
	client.Certificates = []*x509.Certificate{leaf}
	account, err := idp.ReadServiceAccount(d.state.ServiceAccount)
	return idp.Options{Clients: []idp.Client{client}, ServiceAccounts: []idp.ServiceAccount{account}}, err
}

// clientFile is one of the files that an administrator has from the provider.
func (d *Demo) clientFile(name string) string { return filepath.Join(d.dir, name) }

const (
	clientCertificate = "client.crt"
	clientKey         = "client.key"
	serviceAccount    = "service-account.json"
)

// writeClientFiles writes what register reads: a certificate with its key, and the key of a service account.
func (d *Demo) writeClientFiles() error {
	var account map[string]string
	if err := json.Unmarshal(d.state.ServiceAccount, &account); err != nil {
		return fmt.Errorf("read the service account of the demo: %w", err)
	}
	account["token_uri"] = d.Sandbox.Endpoints.Token
	key, err := json.MarshalIndent(account, "", "  ")
	if err != nil {
		return fmt.Errorf("write the service account of the demo: %w", err)
	}
	for name, content := range map[string]string{
		clientCertificate: d.state.ClientCertificate.Chain, clientKey: d.state.ClientCertificate.Key, serviceAccount: string(key),
	} {
		if err := writeWhole(d.clientFile(name), []byte(content)); err != nil {
			return err
		}
	}
	return nil
}

// mailPermissions is what Microsoft's permissions for mail begin with; the sandbox takes the same.
const mailPermissions = "https://outlook.office365.com/"

const delegated = mailPermissions + "IMAP.AccessAsUser.All " + mailPermissions + "POP.AccessAsUser.All " + mailPermissions + "SMTP.Send offline_access"

// RegisterArguments are those of `orbit email-oauth2-proxy register` for the sandbox, flag by flag: people consent.
func (d *Demo) RegisterArguments() [][]string {
	return d.registerArguments(
		[]string{"--oauth2-permission-url", d.Sandbox.Endpoints.Authorise},
		[]string{"--oauth2-scope", delegated},
		[]string{"--oauth2-flow", "authorization_code"},
		clientID(), secret(),
	)
}

// DeviceArguments register a mailbox whose owner enters a code in a browser elsewhere.
func (d *Demo) DeviceArguments() [][]string {
	return d.registerArguments(
		[]string{"--account", d.AppOnlyMailbox()},
		[]string{"--oauth2-device-url", d.Sandbox.Endpoints.Device},
		[]string{"--oauth2-scope", delegated},
		[]string{"--oauth2-flow", "device"},
		clientID(), secret(),
	)
}

// AppOnlyMailbox is one that the client of the demo may open by itself; AppOnlyArguments register it so.
func (d *Demo) AppOnlyMailbox() string { return d.Sandbox.Identity.Mailboxes()[1].Address }

// AppOnlyArguments are those of a registration for which nobody has to consent: client credentials alone.
func (d *Demo) AppOnlyArguments() [][]string { return d.appOnlyArguments(secret()) }

// CertificateArguments are the same with a certificate instead of the secret.
func (d *Demo) CertificateArguments() [][]string {
	return d.appOnlyArguments([]string{"--certificate", d.clientFile(clientCertificate)}, []string{"--key", d.clientFile(clientKey)})
}

func (d *Demo) appOnlyArguments(proof ...[]string) [][]string {
	return d.registerArguments(slices.Concat([][]string{
		{"--account", d.AppOnlyMailbox()},
		{"--oauth2-scope", mailPermissions + ".default"},
		{"--oauth2-flow", "client_credentials"},
		clientID(),
	}, proof)...)
}

// ServiceAccountArguments register a mailbox as Google's service accounts open it.
func (d *Demo) ServiceAccountArguments() [][]string {
	return d.registerArguments(
		[]string{"--account", d.AppOnlyMailbox()},
		[]string{"--oauth2-scope", "https://mail.google.com/"},
		[]string{"--oauth2-flow", "service_account"},
		[]string{"--service-account", d.clientFile(serviceAccount)},
	)
}

func clientID() []string { return []string{"--oauth2-client-id", idp.DefaultClient().ID} }
func secret() []string   { return []string{"--oauth2-client-secret", idp.DefaultClient().Secrets[0]} }

func (d *Demo) registerArguments(way ...[]string) [][]string {
	s := d.Sandbox
	return slices.Concat([][]string{
		{"--imap-server-address", sandbox.Host}, {"--imap-server-port", strconv.Itoa(s.Ports.IMAPS)},
		{"--smtp-server-address", sandbox.Host}, {"--smtp-server-port", strconv.Itoa(s.Ports.Submission)}, {"--smtp-server-starttls"},
		{"--oauth2-token-url", s.Endpoints.Token},
	}, way, [][]string{{"--force"}})
}
