package connector

import (
	"errors"
	"strings"
	"testing"

	"orbit/internal/audit"
	"orbit/internal/mail/ladder"
	"orbit/internal/problem"
)

func TestSettingsAreNormalisedAndChecked(t *testing.T) {
	t.Parallel()
	got := Settings{Name: " Office ", Kind: KindHTTPConnect, Address: " Proxy.Example.com:8080", Fingerprint: "x"}.Normalise()
	if got.Name != "Office" || got.Address != "proxy.example.com" || got.Port != 8080 || got.Fingerprint != "" {
		t.Errorf("%+v", got)
	}
	for kind, port := range map[Kind]int{KindSOCKS5: 1080, KindHTTPConnect: 3128, KindSSH: 22} {
		if got := (Settings{Kind: kind, Address: "gate"}).Normalise(); got.Port != port {
			t.Errorf("%s: %d", kind, got.Port)
		}
	}
	key := "SHA256:" + strings.Repeat("A", 43)
	for name, c := range map[string]struct {
		settings Settings
		fields   string
	}{
		"nothing":         {Settings{}, "name kind"},
		"direct":          {Settings{Name: "x", Kind: KindDirect}, "kind"},
		"no server":       {Settings{Name: "x", Kind: KindSOCKS5}, "address"},
		"a URL":           {Settings{Name: "x", Kind: KindHTTPConnect, Address: "http://proxy"}, "address"},
		"a number":        {Settings{Name: "x", Kind: KindSOCKS5, Address: "0x7f000001"}, "address"},
		"a port":          {Settings{Name: "x", Kind: KindSOCKS5, Address: "gate", Port: 70000}, "port"},
		"no sign-in":      {Settings{Name: "x", Kind: KindSSH, Address: "gate"}, "credential_id"},
		"a short key":     {Settings{Name: "x", Kind: KindSSH, Address: "gate", CredentialID: 1, Fingerprint: "SHA256:abc"}, "fingerprint"},
		"all at once":     {Settings{Name: "a\nb", Kind: KindSSH, Address: "a b", Port: -1, Fingerprint: "x"}, "name address port credential_id fingerprint"},
		"an agent":        {Settings{Name: "x", Kind: KindAgent}, ""},
		"as ssh-keygen":   {Settings{Name: "x", Kind: KindSSH, Address: "gate", CredentialID: 1, Fingerprint: "256 " + key + " root@gate (ED25519)"}, ""},
		"without sign-in": {Settings{Name: "x", Kind: KindHTTPConnect, Address: "192.0.2.1"}, ""},
	} {
		var fields []string
		for _, p := range c.settings.Normalise().Validate() {
			fields = append(fields, p.Name)
		}
		if strings.Join(fields, " ") != c.fields {
			t.Errorf("%s: %v", name, fields)
		}
	}
}

func TestTheSecretIsAskedOnceForEachPlace(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.register(KindSOCKS5, 1080, "orbit", "s3cret")
	change := Change{Settings: c.Settings, Version: c.Version}
	change.Name = "Office"
	c, err := h.Save(h.ctx, c.ID, change)
	if err != nil || c.Name != "Office" {
		t.Fatalf("a new name asks for the secret: %v", err)
	}
	for name, edit := range map[string]func(*Change){
		"address": func(c *Change) { c.Address = "192.0.2.9" },
		"port":    func(c *Change) { c.Port = 1081 },
		"kind":    func(c *Change) { c.Kind = KindSSH },
	} {
		moved := Change{Settings: c.Settings}
		edit(&moved)
		_, err := h.Save(h.ctx, c.ID, moved)
		var wrong problem.Invalid
		if !errors.As(err, &wrong) || wrong.For("secret") == "" {
			t.Errorf("%s: %v", name, err)
		}
		moved.Secret = secretOf("a guess")
		if _, err = h.Save(h.ctx, c.ID, moved); !errors.As(err, &wrong) || wrong.For("secret") == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	moved := Change{Settings: c.Settings, Secret: secretOf("s3cret")}
	moved.Port = 1081
	if _, err := h.Save(h.ctx, c.ID, moved); err != nil {
		t.Error(err)
	}
}

// A stored secret does not open for a place that it was not entered for, whatever stands in the table.
func TestAMovedRowGetsNoSecret(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.register(KindHTTPConnect, 3128, "orbit", "s3cret")
	if _, err := h.pool.Exec(h.ctx, "update network_connector set port = $1 where id = $2", closedPort, c.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.dial(c, "mail.example.com", 587); faultOf(t, err).Fault.Code != "connector_secret_not_approved" {
		t.Errorf("%v", err)
	}
}

// Without the database there is no secret, and that is a step of the visit like any other failure.
func TestAFailureOfOursIsAStepToo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.register(KindSOCKS5, 1080, "orbit", "s3cret")
	way, l := h.way(c), ladder.New(nil)
	h.pool.Close()
	_, err := way.Dial(ladder.With(h.ctx, l), "mail.example.com", 587)
	if fault := faultOf(t, err); fault.Fault.Code != "connector_other" || names(l.Steps()) != "connector" {
		t.Errorf("%+v, %s", fault, names(l.Steps()))
	}
}

func TestChangesAreAuditedAndConflictsTold(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.register(KindSOCKS5, 1080, "", "")
	mine, yours := Change{Settings: c.Settings, Version: c.Version}, Change{Settings: c.Settings, Version: c.Version}
	mine.Port = 1081
	if _, err := h.Save(h.ctx, c.ID, mine); err != nil {
		t.Fatal(err)
	}
	yours.Address = "192.0.2.9"
	_, err := h.Save(h.ctx, c.ID, yours)
	var conflict *problem.Conflict
	if !errors.As(err, &conflict) || conflict.Who != "ana" || len(conflict.Changed) != 2 || conflict.Changed[0].Label != "IP or name" {
		t.Errorf("%+v, %v", conflict, err)
	}
	if _, err := h.SetActive(h.ctx, c.ID, false); err != nil {
		t.Fatal(err)
	}
	if err := h.Delete(h.ctx, c.ID, 0); err != nil {
		t.Fatal(err)
	}
	rows, _, err := audit.List(h.ctx, h.pool, audit.Filter{Object: "network_connector", Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, row := range rows {
		actions = append(actions, strings.TrimPrefix(row.Action, "network_connector."))
	}
	if got := strings.Join(actions, " "); got != "deleted changed changed created" {
		t.Errorf("newest first: %s", got)
	}
}

func TestNamesAreUniqueAndKindsKept(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.register(KindSOCKS5, 1080, "", "")
	again := Change{Settings: c.Settings}
	again.Name = strings.ToUpper(c.Name)
	var wrong problem.Invalid
	if _, err := h.Create(h.ctx, again); !errors.As(err, &wrong) || wrong.For("name") == "" {
		t.Errorf("%v", err)
	}
	again.Kind = KindAgent
	if _, err := h.Save(h.ctx, c.ID, again); !errors.As(err, &wrong) || wrong.For("kind") == "" {
		t.Errorf("%v", err)
	}
	again.Kind, again.CredentialID = KindSOCKS5, 4711
	if _, err := h.Save(h.ctx, c.ID, again); !errors.As(err, &wrong) || wrong.For("credential_id") == "" {
		t.Errorf("%v", err)
	}
	colon := Change{
		Settings: Settings{Name: "colon", Kind: KindHTTPConnect, Address: "proxy", CredentialID: NewCredentialID},
		Secret:   secretOf("x"), NewCredential: NewCredential{Name: "colon", Username: "a:b"},
	}
	if _, err := h.Create(h.ctx, colon); !errors.As(err, &wrong) || wrong.For("credential_id") == "" {
		t.Errorf("%v", err)
	}
	nameless := colon
	nameless.NewCredential = NewCredential{}
	if _, err := h.Create(h.ctx, nameless); !errors.As(err, &wrong) || wrong.For("new_credential_name") == "" {
		t.Errorf("%v", err)
	}
}

func TestTheDirectConnectionStaysAsItIs(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	direct, err := h.FindByName(h.ctx, "Direct")
	if err != nil {
		t.Fatal(err)
	}
	var refused *problem.Refused
	if _, err := h.Save(h.ctx, direct.ID, Change{Settings: direct.Settings}); !errors.As(err, &refused) {
		t.Errorf("saved: %v", err)
	}
	if _, err := h.SetActive(h.ctx, direct.ID, false); !errors.As(err, &refused) {
		t.Errorf("taken out of use: %v", err)
	}
	if err := h.Delete(h.ctx, direct.ID, 0); !errors.As(err, &refused) {
		t.Errorf("deleted: %v", err)
	}
}

func TestDeleteSaysWhoUsesIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.register(KindSOCKS5, 1080, "orbit", "s3cret")
	for _, sql := range []string{
		`insert into smtp_account (account_name, sender_email, smtp_host, port, use_network_connector, network_connector_id) values ('Office365', 'a@example.com', 'smtp.example.com', 587, true, $1)`,
		`insert into mailbox_account (account_name, address, port, protocol, use_network_connector, network_connector_id) values ('Inbox', 'imap.example.com', 993, 'imap', true, $1)`,
		`insert into oauth_client (pattern, flow, token_url, client_id, network_connector_id) values ('@example.com', 'authorization_code', 'https://login.example.com/token', 'id', $1)`,
		`insert into proxy_listener (name, protocol, local_port, server_address, server_port, network_connector_id) values ('IMAP-2993', 'imap', 2993, 'imap.example.com', 993, $1)`,
		`insert into system_parameter (name, value) values ('application', jsonb_build_object('default_network_connector_id', $1::bigint))
			on conflict (name) do update set value = excluded.value`,
	} {
		if _, err := h.pool.Exec(h.ctx, sql, c.ID); err != nil {
			t.Fatal(err)
		}
	}
	err := h.Delete(h.ctx, c.ID, 0)
	var refused *problem.Refused
	if !errors.As(err, &refused) {
		t.Fatal(err)
	}
	for _, use := range []string{"default of System Parameters", "SMTP account Office365", "IMAP/POP3 account Inbox", "OAuth registration @example.com", "proxy listener IMAP-2993"} {
		if !strings.Contains(refused.Text, use) {
			t.Errorf("%s is not named: %s", use, refused.Text)
		}
	}
	if err := h.Credentials.Delete(h.ctx, c.CredentialID, 0); !errors.As(err, &refused) || !strings.Contains(refused.Text, "network connector "+c.Name) {
		t.Errorf("the credential: %v", err)
	}
}
