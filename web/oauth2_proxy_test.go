package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"orbit/internal/identity"
	"orbit/internal/oauth"
	"orbit/internal/vault"
)

// microsoft is what the form of a new registration posts.
func microsoft(more ...string) []string {
	return append([]string{
		"preset", "microsoft365", "pattern", "@example.com", "tenant", "contoso", "flow", "authorization_code", "client_id", "6731de76",
		"secret_kind", "secret", "client_secret", word, "secret_expires_on", "2030-03-31",
	}, more...)
}

func TestTheProviderSuppliesAddressesAndPorts(t *testing.T) {
	s := newProxySite(t)
	ana := s.ana()
	ana.post(proxyPage, microsoft("open_imap", "yes", "open_smtp", "yes")...).leads(proxyPage + "/1/steps")
	r, err := s.oauth.Find(t.Context(), 1)
	if err != nil || r.TokenURL != "https://login.microsoftonline.com/contoso/oauth2/v2.0/token" || !strings.Contains(r.Scope, "SMTP.Send") || r.Provider != "microsoft365" {
		t.Errorf("%v %+v", err, r)
	}
	if active, _ := r.Active(); active.ExpiresAt == nil || active.ExpiresAt.Year() != 2030 {
		t.Errorf("the end of the secret is lost: %+v", active)
	}
	all, err := s.proxies.List(t.Context())
	if err != nil || len(all) != 2 || all[0].Local() != "127.0.0.1:2993" || all[1].Server() != "smtp.office365.com:587" {
		t.Errorf("%v %+v", err, all)
	}
	ana.get(proxyPage+"/1").is(http.StatusOK, `name="token_url"`, "What is stored").hides(word, `value="https://login.microsoftonline.com`)
	ana.post(proxyPage, microsoft()...).is(http.StatusUnprocessableEntity, "already", "Enter it once more").hides(word)
	ana.post(proxyPage, microsoft("pattern", "x", "preset", "google", "client_id", "")...).is(http.StatusUnprocessableEntity, "Give an address", "Give the client id")
	ana.get(proxyPage+"/new").is(http.StatusOK, "POP3 on 127.0.0.1:2995").hides("IMAP on 127.0.0.1:2993")
}

func TestTheEffectiveFlowIsSaid(t *testing.T) {
	s := newProxySite(t)
	ana := s.ana()
	ana.post(proxyPage, microsoft("flow", "client_credentials", "permission_url", "https://login.microsoftonline.com/contoso/oauth2/v2.0/authorize")...).leads(proxyPage + "/1/steps")
	ana.get(proxyPage+"/1/steps").is(http.StatusOK, "the effective flow is authorization_code", "Redirect URI")
	ana.get(proxyPage).is(http.StatusOK, "not Client credentials", "the effective flow is authorization_code")
	ana.post(proxyPage+"/summary", microsoft("flow", "client_credentials")...).is(http.StatusOK, "nobody signs in", "https://outlook.office365.com/.default").hides("effective flow")
}

func TestTwoAdministratorsEditARegistration(t *testing.T) {
	s := newProxySite(t)
	ana := s.ana()
	ana.post(proxyPage, microsoft()...).leads(proxyPage + "/1/steps")
	edit := microsoft("secret_kind", "keep", "version", "1")
	ana.post(proxyPage+"/1", append(edit, "tenant", "fabrikam", "secret_kind", "secret")...).leads(proxyPage)
	ana.post(proxyPage+"/1", edit...).is(http.StatusConflict, "ana changed this while you were working on it", "fabrikam")
	ana.post(proxyPage+"/1", append(microsoft("secret_kind", "keep", "version", "2"), "tenant", "elsewhere")...).
		is(http.StatusUnprocessableEntity, "The token URL changed. Give the secret again", `value="secret" checked`)
}

func TestRolesAtTheMailProxy(t *testing.T) {
	s := newProxySite(t)
	r := s.registered(nil)
	l := s.listener()
	s.somebody("otto", identity.Operator)
	s.somebody("rita", identity.Auditor)
	s.somebody("mia", identity.Member)
	one, port := proxyPage+"/"+itoa(r.ID), proxyPage+"/listeners/"+itoa(l.ID)
	rita, otto := s.as("rita"), s.as("otto")
	for _, path := range []string{proxyPage, proxyPage + "/listeners", proxyPage + "/grants", proxyPage + "/log", one, one + "/steps", one + "/secret", port} {
		rita.get(path).is(http.StatusOK).hides("Rotate secret", `class="btn btn-primary" type="submit"`)
		s.as("mia").get(path).is(http.StatusForbidden)
		if a := s.guest().get(path); a.status != http.StatusSeeOther {
			t.Errorf("%s is open to everybody: %d", path, a.status)
		}
	}
	rita.post(one + "/test").is(http.StatusForbidden)
	otto.post(one+"/test").is(http.StatusOK, "Accepted.")
	for _, path := range []string{
		proxyPage, one, one + "/remove", one + "/secret", one + "/secret/switch", proxyPage + "/authorise", proxyPage + "/paste", port, port + "/stop",
		port + "/delete", proxyPage + "/listeners", proxyPage + "/listeners/stop", proxyPage + "/grants/1/revoke",
	} {
		otto.post(path).is(http.StatusForbidden)
	}
	otto.get(proxyPage + "/export").is(http.StatusForbidden)
}

func TestRotatingASecret(t *testing.T) {
	s := newProxySite(t)
	r := s.registered(nil)
	ana := s.ana()
	at := proxyPage + "/" + itoa(r.ID) + "/secret"
	ana.post(at, "secret_kind", "secret").is(http.StatusUnprocessableEntity, "Give the new client secret")
	ana.post(at, "secret_kind", "secret", "client_secret", "never-shown", "secret_expires_on", "soon").is(http.StatusUnprocessableEntity, "2027-03-31", "Enter it once more").hides("never-shown")
	s.provider.Identity.AddSecret(client, "the-next-word")
	ana.post(at, "secret_kind", "secret", "client_secret", "the-next-word").leads(at)
	ana.post(at+"/switch").is(http.StatusConflict, "has not accepted this secret yet", `name="accept_unproven" value="yes"`)
	ana.post(at+"/prove").is(http.StatusOK, "Accepted.").hides("the-next-word")
	ana.post(at + "/switch").leads(at)
	ana.get(at).is(http.StatusOK, "Switch back", "Before")
	ana.post(at + "/switch").leads(at)
	s.pass(6 * time.Minute)
	ana.post(at+"/remove").is(http.StatusUnprocessableEntity, "Enter your password to go on")
	ana.post(at+"/remove", "current_password", goodPassword).leads(at)
	ana.get(at).is(http.StatusOK, "Empty. Make a new secret")
}

func TestRemovingAndRevokingNameTheConsequence(t *testing.T) {
	s := newProxySite(t)
	r := s.registered(func(c *oauth.Change) {
		c.Pattern, c.Flow, c.PermissionURL, c.Scope = "@example.com", oauth.ClientCredentials, "", "https://outlook.office365.com/.default"
	})
	s.listener()
	ana := s.ana()
	ana.post(proxyPage+"/authorise", "address", mailbox).is(http.StatusOK, "has accepted the token of "+mailbox)
	ana.post(proxyPage+"/authorise", "address", "nobody").is(http.StatusUnprocessableEntity, "Enter the address of the mailbox")
	ana.post(proxyPage+"/authorise", "address", "a@elsewhere.example").is(http.StatusUnprocessableEntity, "No registration covers a@elsewhere.example")
	ana.get(proxyPage+"/grants").is(http.StatusOK, "accepted by SMTP")
	ana.get(proxyPage+"/grants/1/revoke").is(http.StatusOK, "Revoke the permission of "+mailbox)
	ana.post(proxyPage + "/grants/1/revoke").leads(proxyPage + "/grants")
	if grant, err := s.oauth.Grant(t.Context(), mailbox); err != nil || grant.State != oauth.None {
		t.Errorf("%v %+v", err, grant)
	}
	ana.post(proxyPage+"/grants/try", "address", mailbox).is(http.StatusOK, "has accepted the token of "+mailbox)
	remove := proxyPage + "/" + itoa(r.ID) + "/remove"
	ana.get(remove).is(http.StatusOK, "the permissions of 1 mailbox are destroyed", mailbox)
	ana.post(remove).leads(proxyPage)
	ana.get(proxyPage + "/" + itoa(r.ID)).is(http.StatusNotFound)
}

func TestFilesHoldNoSecrets(t *testing.T) {
	s := newProxySite(t)
	s.registered(nil)
	s.listener()
	ana := s.ana()
	ana.get(proxyPage+"?format=csv").is(http.StatusOK, "Effective flow", client).hides(word)
	ana.get(proxyPage+"/grants?format=csv").is(http.StatusOK, "Mailbox")
	ana.get(proxyPage+"/listeners?format=csv").is(http.StatusOK, "SMTP-2465")
	ana.get(proxyPage+"/export").is(http.StatusOK, "[@]", "oauth2_flow = authorization_code").hides(word)
}

func TestPastingWithoutJavaScript(t *testing.T) {
	s := newProxySite(t)
	ana := s.ana()
	quoted := strings.ReplaceAll(vendorConfig, "client_secret = value-of-the-secret", `client_secret = "value-of-the-secret"`)
	ana.post(proxyPage+"/paste/preview", "text", quoted).is(http.StatusOK, "corrections", "SMTP.Send", "Paste the text once more").hides("value-of-the-secret")
	ana.post(proxyPage+"/paste", "text", "").is(http.StatusUnprocessableEntity, "Paste a configuration or a command")
	ana.post(proxyPage+"/paste", "text", "orbit email-oauth2-proxy register --imap-server-port=993").is(http.StatusUnprocessableEntity, "The complete command")
	s.pass(6 * time.Minute)
	ana.post(proxyPage+"/paste", "text", vendorConfig).is(http.StatusUnprocessableEntity, "Enter your own password")
	ana.post(proxyPage+"/paste", "text", vendorConfig, "current_password", goodPassword).leads(proxyPage + "/1/steps")
	again := ana.post(proxyPage+"/paste", "text", vendorConfig)
	again.is(http.StatusConflict, "is registered already", `name="force"`).hides("--force", "value-of-the-secret")
	ana.post(proxyPage+"/paste", "text", vendorConfig, "force", "yes").leads(proxyPage + "/1/steps")
}

func TestListenersAreStartedAndStopped(t *testing.T) {
	s := newProxySite(t)
	l := s.listener()
	ana := s.ana()
	at, all := proxyPage+"/listeners/"+itoa(l.ID), proxyPage+"/listeners"
	ana.get(all).is(http.StatusOK, "Not running", "is orbit serve running?")
	for _, step := range []struct{ path, wanted string }{
		{at + "/stop", "stopped"}, {at + "/start", "running"}, {all + "/stop", "stopped"}, {all + "/start", "running"}, {at + "/restart", "running"}, {all + "/restart", "running"},
	} {
		ana.post(step.path).leads(all)
		if found, err := s.proxies.Find(t.Context(), l.ID); err != nil || string(found.Wanted) != step.wanted {
			t.Errorf("%s: %v %s", step.path, err, found.Wanted)
		}
	}
	ana.post(all, "protocol", "smtp", "local_address", "0.0.0.0", "local_port", "2525", "server_address", "smtp.example.com", "server_security", "tls").
		is(http.StatusUnprocessableEntity, "Other machines reach 0.0.0.0")
	ana.post(all, "protocol", "smtp", "local_address", "0.0.0.0", "local_port", "2525", "server_address", "smtp.example.com", "server_security", "tls", "allow_unsafe_address", "yes").leads(all)
	ana.get(all).is(http.StatusOK, "passwords in clear", "SMTP-2525")
	ana.get(at+"/delete").is(http.StatusOK, "cannot connect any more")
	ana.post(at + "/delete").leads(all)
	ana.get(at).is(http.StatusNotFound)
}

func TestAListenerIsTestedStepByStep(t *testing.T) {
	s := newProxySite(t)
	l := s.listener()
	s.registered(nil)
	if _, err := s.credentials.Create(t.Context(), "Alerts", mailbox, vault.NewSecret("local word")); err != nil {
		t.Fatal(err)
	}
	ana := s.ana()
	at, all := proxyPage+"/listeners/"+itoa(l.ID), proxyPage+"/listeners"
	ana.get(all).is(http.StatusOK, at+"/test", "Test listener")
	ana.get(at+"/test").is(http.StatusOK, "Test listener", "Nobody: stop before the sign-in", mailbox)
	ana.post(at+"/test", "address", "").is(http.StatusOK, "Local port", "does not answer at", "What to do", "Test again")
	ana.post(at + "/stop").leads(all)
	ana.post(at+"/test", "address", "").is(http.StatusOK, "The listener is stopped", "OAuth 2.0 by ", "answers. Choose a mailbox")
	ana.post(at+"/test", "address", mailbox).is(http.StatusOK, "is not authorised at the provider yet", "Authorise")
	ana.post(at+"/test", "address", "nobody@example.org").is(http.StatusOK, "is not authorised at the provider yet")
	live := ana.get(at+"/test/events?address="+mailbox).is(http.StatusOK, "event: ladder", "is not authorised at the provider yet", "event: done")
	if first, _, _ := strings.Cut(live.body, "\n\n"); strings.Contains(first, "is not authorised") || !strings.Contains(first, "Local port") {
		t.Errorf("the first step comes with the last: %s", first)
	}
	s.somebody("otto", identity.Operator)
	s.as("otto").get(at+"/test").is(http.StatusOK, "Test listener")
	s.somebody("aude", identity.Auditor)
	s.as("aude").post(at+"/test", "address", "").is(http.StatusForbidden)
	s.as("aude").get(at + "/test/events").is(http.StatusForbidden)
}

func TestThePasswordFlowAsksForThePassword(t *testing.T) {
	s := newProxySite(t)
	s.registered(func(c *oauth.Change) {
		c.Pattern, c.Flow, c.PermissionURL, c.Secret = mailbox, oauth.Password, "", oauth.NewSecret{Secret: vault.NewSecret(word)}
	})
	ana := s.ana()
	ana.get(proxyPage+"/1").is(http.StatusOK, `value="password"`, "Insecure")
	ana.get(proxyPage+"/new").is(http.StatusOK, `value="device"`).hides(`value="password"`)
	ana.get(proxyPage+"/1/authorise").is(http.StatusOK, "Password of the mailbox", "Nobody can use a second factor")
	ana.post(proxyPage+"/authorise", "address", mailbox, "mailbox_password", "").is(http.StatusUnprocessableEntity, "Enter the password of the mailbox")
	ana.post(proxyPage+"/authorise", "address", mailbox, "mailbox_password", "wrong-word").is(http.StatusOK, "What to do").hides("wrong-word")
}
