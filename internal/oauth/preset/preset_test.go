package preset

import (
	"testing"

	"orbit/internal/oauth"
)

func TestAPresetFillsInWhatItBlanks(t *testing.T) {
	t.Parallel()
	for _, p := range All() {
		for _, flow := range oauth.Flows() {
			typed := oauth.Settings{Pattern: "@", Flow: flow, Tenant: "contoso", ClientID: "id"}
			full := p.Fill(typed)
			if p.Key == "other" {
				continue
			}
			if full.TokenURL == "" || (flow == oauth.AuthorizationCode) != (full.PermissionURL != "") {
				t.Errorf("%s, %s: %+v", p.Key, flow, full)
			}
			if full.EffectiveFlow() != flow {
				t.Errorf("%s: the effective flow of %s is %s", p.Key, flow, full.EffectiveFlow())
			}
			found := Of(full)
			if full.Scope != "" && found.Key != p.Key {
				t.Errorf("%s with %s is taken for %s", p.Key, flow, found.Key)
			}
			again := p.Blank(full)
			again.Provider = typed.Provider
			if again != typed {
				t.Errorf("%s with %s is not blank again: %+v", p.Key, flow, again)
			}
		}
	}
}

func TestWhatWasGivenStays(t *testing.T) {
	t.Parallel()
	p, ok := Find("microsoft365/china")
	if !ok || !p.Tenant {
		t.Fatalf("%+v", p)
	}
	full := p.Fill(oauth.Settings{Flow: oauth.AuthorizationCode, Tenant: "a/b", Scope: "own scope"})
	if full.Scope != "own scope" || full.TokenURL != "https://login.partner.microsoftonline.cn/a%2Fb/oauth2/v2.0/token" {
		t.Errorf("%+v", full)
	}
	if _, ok := Find("nobody"); ok {
		t.Error("an unknown preset is found")
	}
	if Of(oauth.Settings{TokenURL: "https://idp.example.com/token"}).Key != "other" {
		t.Error("a foreign token URL has a preset")
	}
}

func TestEachCloudHasItsServers(t *testing.T) {
	t.Parallel()
	p, _ := Find("microsoft365/china")
	imap, pop3, smtp := p.Servers()
	if imap.Host != "partner.outlook.cn" || imap.Port != 993 || pop3.Port != 995 || smtp.Host != "smtp.partner.outlook.cn" || smtp.Port != 587 {
		t.Errorf("%+v %+v %+v", imap, pop3, smtp)
	}
	if imap, _, smtp := other.Servers(); imap.Host != "" || smtp.Host != "" {
		t.Error("servers of nobody")
	}
}
