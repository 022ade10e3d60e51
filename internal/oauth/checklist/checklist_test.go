package checklist

import (
	"strings"
	"testing"

	"orbit/internal/oauth"
	"orbit/internal/oauth/preset"
)

// text is everything that a checklist says.
func text(steps []Step) string {
	var all strings.Builder
	for _, s := range steps {
		all.WriteString(strings.Join([]string{s.Title, s.Where, s.Text, s.Code, ""}, "\n"))
		for _, v := range s.Values {
			all.WriteString(v.Label + ": " + v.Text + "\n")
		}
	}
	return all.String()
}

func steps(key string, flow oauth.Flow) string {
	p, _ := preset.Find(key)
	s := p.Fill(oauth.Settings{Pattern: "o'hara@example.com", Flow: flow, Tenant: "contoso", ClientID: "6731de76"})
	return text(Of(In{Registration: oauth.Registration{Settings: s}, RedirectURI: "https://orbit.example.com/back/"}))
}

func TestStepsHaveTheAdministratorsOwnIDs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		key  string
		flow oauth.Flow
		want []string
	}{
		{"microsoft365", oauth.AuthorizationCode, []string{"https://entra.microsoft.com", "Web: https://orbit.example.com/back/", "6731de76", "contoso", "SMTP.Send", "Set-CASMailbox -Identity 'o''hara@example.com'"}},
		{"microsoft365/china", oauth.AuthorizationCode, []string{"https://entra.microsoftonline.cn", "Connect-ExchangeOnline -ExchangeEnvironmentName O365China"}},
		{"microsoft365", oauth.ClientCredentials, []string{
			"SMTP.SendAsApp", "Grant admin consent", `Get-MgServicePrincipal -Filter "AppId eq '6731de76'"`, "New-ServicePrincipal -AppId $orbit.AppId -ObjectId $orbit.Id",
			"not the one that App registrations shows", "Add-MailboxPermission -Identity 'o''hara@example.com'", "Application SMTP.SendAsApp",
		}},
		{"microsoft365", oauth.DeviceCode, []string{"Allow public client flows"}},
		{"google", oauth.AuthorizationCode, []string{"https://orbit.example.com/back/", "https://mail.google.com/", "seven days"}},
		{"google", oauth.ServiceAccount, []string{"Domain Wide Delegation", "Unique ID"}},
		{"fastmail", oauth.AuthorizationCode, []string{"approved", "https://orbit.example.com/back/"}},
		{"other", oauth.AuthorizationCode, []string{"https://orbit.example.com/back/"}},
		{"other", oauth.ClientCredentials, []string{"client_credentials"}},
	} {
		got := steps(c.key, c.flow)
		for _, want := range append(c.want, "Test", `orbit email-oauth2-proxy authorize 'o'\''hara@example.com'`) {
			if !strings.Contains(got, want) {
				t.Errorf("%s, %s: %q is missing in\n%s", c.key, c.flow, want, got)
			}
		}
		for _, gap := range []string{"CLIENT_ID", "TENANT_ID", "MAILBOX@", "{tenant}"} {
			if strings.Contains(got, gap) {
				t.Errorf("%s, %s: %s is left", c.key, c.flow, gap)
			}
		}
	}
}

func TestEveryFlowHasSteps(t *testing.T) {
	t.Parallel()
	for _, p := range preset.All() {
		for _, flow := range oauth.Flows() {
			if got := steps(p.Key, flow); strings.Count(got, "\n") < 4 {
				t.Errorf("%s, %s: %q", p.Key, flow, got)
			}
		}
	}
}
