package api

import (
	"net/http"
	"time"

	"orbit/internal/identity"
	"orbit/internal/oauth"
	"orbit/internal/oauth/endpoint"
	"orbit/internal/oauth/preset"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

const oauthTag = "OAuth clients"

func (a *api) oauthClients() {
	register(a, operation{"list-oauth-clients", http.MethodGet, "/oauth-clients", "List OAuth registrations", oauthTag, identity.Auditor, 0}, a.listOAuth)
	register(a, operation{"create-oauth-client", http.MethodPost, "/oauth-clients", "Register an OAuth client", oauthTag, identity.Administrator, http.StatusCreated}, a.createOAuth)
	register(a, operation{"show-oauth-client", http.MethodGet, "/oauth-clients/{id}", "Show an OAuth registration", oauthTag, identity.Auditor, 0}, a.showOAuth)
	register(a, operation{"change-oauth-client", http.MethodPatch, "/oauth-clients/{id}", "Change an OAuth registration", oauthTag, identity.Administrator, 0}, a.changeOAuth)
	register(a, operation{"delete-oauth-client", http.MethodDelete, "/oauth-clients/{id}", "Remove an OAuth registration with its grants", oauthTag, identity.Administrator, http.StatusNoContent}, a.deleteOAuth)
	register(a, operation{"test-oauth-client", http.MethodPost, "/oauth-clients/{id}/test", "Show the secret to the token endpoint, or a mailbox's token to its mail server", oauthTag, identity.Operator, 0}, a.testOAuth)
	register(a, operation{"authorise-mailbox", http.MethodPost, "/oauth-clients/{id}/authorise", "Get the address at which a person authorises a mailbox", oauthTag, identity.Administrator, 0}, a.authoriseOAuth)
	register(a, operation{"list-oauth-grants", http.MethodGet, "/oauth-clients/{id}/grants", "List what the mailboxes of a registration have", oauthTag, identity.Auditor, 0}, a.listGrants)
	register(a, operation{"revoke-oauth-grant", http.MethodPost, "/oauth-clients/{id}/revoke", "Destroy the tokens of a mailbox", oauthTag, identity.Administrator, http.StatusNoContent}, a.revokeOAuth)
	register(a, operation{"add-oauth-secret", http.MethodPost, "/oauth-clients/{id}/secrets", "Put a new secret into the slot that is not in use", oauthTag, identity.Administrator, http.StatusCreated}, a.addSecret)
	register(a, operation{"switch-oauth-secret", http.MethodPost, "/oauth-clients/{id}/secrets/switch", "Use the other secret", oauthTag, identity.Administrator, 0}, a.switchSecret)
}

// SecretBody is what a client proves itself with; it is written and never read. It is exported because huma reads
// embedded structs only then.
type SecretBody struct {
	ClientSecret    vault.Secret       `json:"client_secret,omitzero" writeOnly:"true" doc:"Its Value, not its ID"`
	SecretExpiresAt *time.Time         `json:"client_secret_expires_at,omitempty" writeOnly:"true" doc:"As the provider shows it"`
	Certificate     string             `json:"certificate,omitempty" writeOnly:"true" doc:"PEM, with key instead of client_secret"`
	Key             vault.Secret       `json:"key,omitzero" writeOnly:"true" doc:"PEM, not encrypted"`
	Algorithm       endpoint.Algorithm `json:"algorithm,omitempty" writeOnly:"true" doc:"PS256 (default) or RS256"`
	ServiceAccount  vault.Secret       `json:"service_account,omitzero" writeOnly:"true" doc:"Google's JSON key file as a string"`
}

func (b SecretBody) secret() oauth.NewSecret {
	return oauth.NewSecret{
		Secret: b.ClientSecret, ExpiresAt: b.SecretExpiresAt, Certificate: b.Certificate, Key: b.Key, Algorithm: b.Algorithm, ServiceAccount: b.ServiceAccount,
	}
}

// oauthBody is a registration as programs write it.
type oauthBody struct {
	oauth.Settings
	SecretBody
	Preset  string `json:"preset,omitempty" writeOnly:"true" doc:"Supplies addresses and scope that are not given: microsoft365, microsoft365/china, google, fastmail, yahoo, other; default: provider"`
	Version int    `json:"version,omitempty" doc:"The version that was read; absent: whatever is stored"`
}

// change fills in what the preset has.
func (b oauthBody) change() (oauth.Change, error) {
	key := b.Preset
	if key == "" {
		key = b.Provider
	}
	c := oauth.Change{Settings: b.Settings, Secret: b.secret(), Version: b.Version}
	if key == "" {
		return c, nil
	}
	chosen, known := preset.Find(key)
	if !known {
		return c, problem.Invalid{{Name: "preset", Text: "There is no preset " + key + "."}}
	}
	if chosen.Tenant && b.Tenant == "" && b.TokenURL == "" {
		return c, problem.Invalid{{Name: "tenant", Text: "Give the tenant: the Directory (tenant) ID, or a domain of it."}}
	}
	c.Settings = chosen.Fill(c.Settings)
	return c, nil
}

// oauthItem is a registration as programs read it: without its secrets, and with the flow that is really used.
type oauthItem struct {
	oauth.Registration
	EffectiveFlow oauth.Flow   `json:"effective_flow"`
	Notes         []oauth.Note `json:"notes" nullable:"false"`
}

func newOAuthItem(r oauth.Registration, notes ...oauth.Note) oauthItem {
	if len(notes) == 0 {
		notes = r.Notes()
	}
	if r.Secrets == nil {
		r.Secrets = []oauth.ClientSecret{}
	}
	return oauthItem{Registration: r, EffectiveFlow: r.EffectiveFlow(), Notes: append([]oauth.Note{}, notes...)}
}

type oauthOutput struct{ Body oauthItem }

type listOAuthOutput struct {
	Body struct {
		Items []oauthItem `json:"items" nullable:"false"`
		Next  string      `json:"next,omitempty"`
	}
}

func (a *api) listOAuth(c *call, i *Page) (*listOAuthOutput, error) {
	stored, err := a.OAuth.List(c)
	if err != nil {
		return nil, err
	}
	output := &listOAuthOutput{}
	output.Body.Items = []oauthItem{}
	output.Body.Next = i.next(len(stored))
	first := min((i.number()-1)*i.Limit, len(stored))
	for _, r := range stored[first:min(first+i.Limit, len(stored))] {
		output.Body.Items = append(output.Body.Items, newOAuthItem(r))
	}
	return output, nil
}

type createOAuthInput struct{ Body partial[oauthBody] }

// errPasswordFlow keeps a flow that hands out passwords to those who bring it along in a configuration.
var errPasswordFlow = problem.Invalid{{Name: "flow", Text: "The password flow sends the mailbox's password to the provider, and can only be imported " +
	"from an emailproxy.config: run `orbit email-oauth2-proxy import`, or choose another flow."}}

func (a *api) createOAuth(c *call, i *createOAuthInput) (*oauthOutput, error) {
	body := oauthBody{Settings: oauth.Settings{Flow: oauth.AuthorizationCode}}
	if err := i.Body.over(&body); err != nil {
		return nil, err
	}
	change, err := body.change()
	if err != nil {
		return nil, err
	}
	if change.Flow == oauth.Password {
		return nil, errPasswordFlow
	}
	stored, notes, err := a.OAuth.Create(c, change)
	return &oauthOutput{newOAuthItem(stored, notes...)}, err
}

func (a *api) showOAuth(c *call, i *IDInput) (*oauthOutput, error) {
	found, err := a.OAuth.Find(c, i.ID)
	return &oauthOutput{newOAuthItem(found)}, err
}

type changeOAuthInput struct {
	IDInput
	Body partial[oauthBody]
}

func (a *api) changeOAuth(c *call, i *changeOAuthInput) (*oauthOutput, error) {
	found, err := a.OAuth.Find(c, i.ID)
	if err != nil {
		return nil, err
	}
	body := oauthBody{Settings: found.Settings, Version: found.Version}
	if err := i.Body.over(&body); err != nil {
		return nil, err
	}
	change, err := body.change()
	if err != nil {
		return nil, err
	}
	if change.Flow == oauth.Password && found.Flow != oauth.Password {
		return nil, errPasswordFlow
	}
	stored, notes, err := a.OAuth.Save(c, i.ID, change)
	return &oauthOutput{newOAuthItem(stored, notes...)}, err
}

func (a *api) deleteOAuth(c *call, i *IDInput) (*struct{}, error) {
	return nil, a.OAuth.Remove(c, i.ID)
}

// mailboxBody names a mailbox of a registration.
type mailboxBody struct {
	Address string `json:"address,omitempty" doc:"The mailbox; absent: the one of a registration that is for one"`
}

type mailboxInput struct {
	IDInput
	Body *mailboxBody
}

// address is the mailbox that a request names, or "".
func (i mailboxInput) address() string {
	if i.Body == nil {
		return ""
	}
	return oauth.Normal(i.Body.Address)
}

// oauthTest is what the token endpoint said about a client, or a mail server about the token of a mailbox.
type oauthTest struct {
	Proven  bool           `json:"proven" doc:"The token endpoint accepts the client"`
	Text    string         `json:"text"`
	Fault   any            `json:"fault,omitempty" doc:"Cause, who must act, and what to do"`
	Outcome *oauth.Outcome `json:"outcome,omitempty" doc:"With an address: what its mail server said"`
}

type testOAuthOutput struct{ Body oauthTest }

func (a *api) testOAuth(c *call, i *mailboxInput) (*testOAuthOutput, error) {
	if i.address() != "" {
		return a.tryMailbox(c, i)
	}
	proof, err := a.OAuth.ProveSecret(c, i.ID)
	if err != nil {
		return nil, err
	}
	output := &testOAuthOutput{oauthTest{Proven: proof.Proven, Text: proof.Text}}
	if proof.Fault != nil {
		output.Body.Fault = proof.Fault
	}
	return output, nil
}

func (a *api) tryMailbox(c *call, i *mailboxInput) (*testOAuthOutput, error) {
	address, err := a.covering(c, i)
	if err != nil {
		return nil, err
	}
	outcome, err := a.OAuth.Prove(c, address)
	if err != nil {
		return nil, err
	}
	output := &testOAuthOutput{oauthTest{Proven: outcome.Authorised, Text: outcome.Text(), Outcome: &outcome}}
	if outcome.Fault != nil {
		output.Body.Fault = outcome.Fault
	}
	return output, nil
}

// covering returns the address that a request means, and makes sure that it belongs to the registration in the path.
func (a *api) covering(c *call, i *mailboxInput) (string, error) {
	found, err := a.OAuth.Find(c, i.ID)
	if err != nil {
		return "", err
	}
	address := i.address()
	switch {
	case address == "" && !found.CatchAll():
		return found.Pattern, nil
	case address == "":
		return "", problem.Invalid{{Name: "address", Text: "Give the mailbox: this registration is for many."}}
	}
	applies, err := a.OAuth.Lookup(c, address)
	if err != nil || applies.ID != found.ID {
		return "", problem.Invalid{{Name: "address", Text: "Another registration applies to this mailbox, or none."}}
	}
	return address, nil
}

// invitation is what a person needs to authorise a mailbox.
type invitation struct {
	Address   string    `json:"address"`
	URL       string    `json:"url" doc:"Orbit's start address, valid 24 hours; with user_code the provider's"`
	UserCode  string    `json:"user_code,omitempty" doc:"Device flow: to be entered there"`
	ExpiresAt time.Time `json:"expires_at"`
	Text      string    `json:"text"`
}

type authoriseOutput struct{ Body invitation }

func (a *api) authoriseOAuth(c *call, i *mailboxInput) (*authoriseOutput, error) {
	address, err := a.covering(c, i)
	if err != nil {
		return nil, err
	}
	asked, err := a.OAuth.Invite(c, address)
	return &authoriseOutput{invitation{Address: address, URL: asked.URL, UserCode: asked.UserCode, ExpiresAt: asked.ExpiresAt, Text: asked.Text}}, err
}

// revokeOAuth needs no registration that applies: the grant says whose it is.
func (a *api) revokeOAuth(c *call, i *mailboxInput) (*struct{}, error) {
	found, err := a.OAuth.Find(c, i.ID)
	if err != nil {
		return nil, err
	}
	address := i.address()
	if address == "" && !found.CatchAll() {
		address = found.Pattern
	}
	grant, err := a.OAuth.Grant(c, address)
	if err != nil || grant.RegistrationID != found.ID {
		return nil, problem.Invalid{{Name: "address", Text: "Give a mailbox that has a grant of this registration."}}
	}
	return nil, a.OAuth.Forget(c, address)
}

type listGrantsOutput struct {
	Body struct {
		Items []oauth.Grant `json:"items" nullable:"false"`
	}
}

func (a *api) listGrants(c *call, i *IDInput) (*listGrantsOutput, error) {
	if _, err := a.OAuth.Find(c, i.ID); err != nil {
		return nil, err
	}
	grants, err := a.OAuth.Grants(c, i.ID)
	output := &listGrantsOutput{}
	output.Body.Items = append([]oauth.Grant{}, grants...)
	return output, err
}

type addSecretInput struct {
	IDInput
	Body partial[SecretBody]
}

func (a *api) addSecret(c *call, i *addSecretInput) (*oauthOutput, error) {
	var body SecretBody
	if err := i.Body.over(&body); err != nil {
		return nil, err
	}
	stored, err := a.OAuth.AddSecret(c, i.ID, body.secret())
	return &oauthOutput{newOAuthItem(stored)}, err
}

type switchSecretInput struct {
	IDInput
	Body *struct {
		AcceptUnproven bool `json:"accept_unproven,omitempty" doc:"Accept that the token endpoint has not accepted it yet"`
	}
}

func (a *api) switchSecret(c *call, i *switchSecretInput) (*oauthOutput, error) {
	stored, err := a.OAuth.SwitchSecret(c, i.ID, i.Body != nil && i.Body.AcceptUnproven)
	return &oauthOutput{newOAuthItem(stored)}, err
}
