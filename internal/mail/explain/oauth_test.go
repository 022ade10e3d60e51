package explain

import (
	"regexp"
	"strings"
	"testing"

	"orbit/internal/mail/ladder"
)

var numbers = regexp.MustCompile(`^AADSTS\d+(, AADSTS\d+)*$`)

func TestEveryOAuthEntryIsFoundByItsExample(t *testing.T) {
	t.Parallel()
	for _, e := range oauthEntries {
		c := fullOAuth()
		c.TokenURL, c.Provider = "", string(e.match.provider)
		if numbers.MatchString(e.Seen) {
			for code := range strings.SplitSeq(e.Seen, ", ") {
				if f := OAuth("invalid_request", code+": Words. Trace ID: 1", c); f.Code != code || f.Cause != e.fault(withNumber(c)).Cause {
					t.Errorf("%s: %s is explained as %s: %s", e.Code, code, f.Code, f.Cause)
				}
			}
			continue
		}
		if e.Code == "oauth_microsoft_other" {
			continue // it has no example, and its code becomes the number; TestOAuthErrors has one
		}
		code, description, _ := strings.Cut(e.Seen, ": ")
		if f := OAuth(code, description, c); f.Code != e.Code {
			t.Errorf("%s: %q is explained as %s", e.Code, e.Seen, f.Code)
		}
	}
}

func withNumber(c OAuthContext) values {
	v := c.values()
	v["correlation_id"], v["timestamp"], v["number"], v["digits"] = "", "", "", ""
	return v
}

const microsoftDescription = "AADSTS7000222: The provided client secret keys for app '1111' are expired. Visit the Azure portal to create new keys for your app. " +
	"Trace ID: 0d2e3a1b-5f1e-4b0d-9a57-2b1d11d33700 Correlation ID: 7f3c2e10-98a1-4c6e-8d0c-0a2f6a7b8c9d Timestamp: 2026-11-03 08:15:01Z"

func TestMicrosoftsDescriptionIsTakenApart(t *testing.T) {
	t.Parallel()
	m := parseMicrosoft(microsoftDescription)
	if m.code != "AADSTS7000222" || m.correlation != "7f3c2e10-98a1-4c6e-8d0c-0a2f6a7b8c9d" || m.timestamp != "2026-11-03 08:15:01Z" {
		t.Errorf("%+v", m)
	}
	if AADSTS(microsoftDescription) != "AADSTS7000222" || AADSTS("no number") != "" {
		t.Error("AADSTS")
	}
}

func TestOAuthErrors(t *testing.T) {
	t.Parallel()
	microsoft := fullOAuth()
	google := OAuthContext{ClientID: "123.apps.googleusercontent.com", Address: "info@example.com", TokenURL: "https://oauth2.googleapis.com/token", RedirectURI: "https://orbit.example.com/email-oauth2-proxy-authorize/"}
	other := OAuthContext{TokenURL: "https://id.example.com/token", Address: "info@example.com"}
	china := microsoft
	china.TokenURL = "https://login.partner.microsoftonline.cn/t/oauth2/v2.0/token"
	for _, c := range []struct {
		name, code, description string
		context                 OAuthContext
		want                    string
		who                     ladder.Who
		remedy                  string
		authorise               bool
	}{
		{"secret expired", "invalid_client", microsoftDescription, microsoft, "AADSTS7000222", ladder.You, "second slot", false},
		{"secret's ID pasted", "invalid_client", "AADSTS7000215: Invalid client secret provided.", microsoft, "AADSTS7000215", ladder.You, "column Value", false},
		{"unknown application", "unauthorized_client", "AADSTS700016: Application with identifier 'x' was not found", microsoft, "AADSTS700016", ladder.You, "App registrations > Overview", false},
		{"redirect URI", "invalid_request", "AADSTS50011: The redirect URI does not match", microsoft, "AADSTS50011", ladder.You, "https://orbit.example.com/email-oauth2-proxy-authorize/", false},
		{"consent", "invalid_grant", "AADSTS65001: The user or administrator has not consented", microsoft, "AADSTS65001", ladder.Microsoft365, "https://login.microsoftonline.com/66666666-7777-8888-9999-000000000000/adminconsent?client_id=11111111", false},
		{"consent in China", "invalid_grant", "AADSTS90094: Admin consent", china, "AADSTS90094", ladder.Microsoft365, "https://login.partner.microsoftonline.cn/", false},
		{"scope", "invalid_scope", "AADSTS1002012: The provided value for scope is not valid. Client credential flows must have a scope value with /.default", microsoft, "AADSTS1002012", ladder.You, "https://outlook.office365.com/.default", false},
		{"scope in China", "invalid_scope", "AADSTS70011: invalid", china, "AADSTS70011", ladder.You, "https://partner.outlook.cn/.default", false},
		{"90 days", "invalid_grant", "AADSTS700082: The refresh token has expired due to inactivity.", microsoft, "AADSTS700082", ladder.You, "Authorise info@example.com again", true},
		{"conditional access", "invalid_grant", "AADSTS53003: Access has been blocked by Conditional Access policies. Correlation ID: 7f3c2e10-98a1-4c6e-8d0c-0a2f6a7b8c9d", microsoft, "AADSTS53003", ladder.Microsoft365, "7f3c2e10-98a1-4c6e-8d0c-0a2f6a7b8c9d", false},
		{"certificate", "invalid_client", "AADSTS700027: Client assertion failed signature validation", microsoft, "AADSTS700027", ladder.You, "thumbprint A1B2", false},
		{"a number nobody lists", "invalid_request", "AADSTS4242424: What?", microsoft, "AADSTS4242424", ladder.You, "https://login.microsoftonline.com/error?code=4242424", false},
		{"a number in the code", "AADSTS50057", "", microsoft, "AADSTS50057", ladder.Microsoft365, "Enable the sign-in", false},
		{"device flow waits", "authorization_pending", "AADSTS70016: OAuth 2.0 device flow error.", microsoft, "AADSTS70016", ladder.Nobody, "enter the code", false},
		{"Google grant", "invalid_grant", "Token has been expired or revoked.", google, "google_invalid_grant", ladder.You, "Publish app", true},
		{"Google clock", "invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.", google, "google_clock", ladder.You, "timedatectl", false},
		{"Google delegation", "unauthorized_client", "Client is unauthorized to retrieve access tokens using this method", google, "google_unauthorized_client", ladder.GoogleAdmin, "123.apps.googleusercontent.com", false},
		{"Google redirect", "redirect_uri_mismatch", "", google, "google_redirect_uri_mismatch", ladder.You, "https://orbit.example.com/email-oauth2-proxy-authorize/", false},
		{"some provider", "invalid_grant", "", other, "oauth_invalid_grant", ladder.You, "Authorise", true},
		{"slow down", "slow_down", "", other, "oauth_slow_down", ladder.Nobody, "by itself", false},
		{"unknown code", "strange", "", other, "oauth_other", ladder.You, "The reply says why", false},
		{"nothing at all", "", "", OAuthContext{}, "oauth_other", ladder.You, "The reply says why", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := OAuth(c.code, c.description, c.context)
			if f.Code != c.want || f.Who != c.who || f.Authorise != c.authorise {
				t.Fatalf("%s for %s (authorise %v), want %s for %s\n%s", f.Code, f.Who, f.Authorise, c.want, c.who, f.Cause)
			}
			if !strings.Contains(f.Remedy, c.remedy) {
				t.Errorf("the remedy lacks %q:\n%s", c.remedy, f.Remedy)
			}
		})
	}
}

func FuzzOAuth(f *testing.F) {
	f.Add("invalid_client", microsoftDescription)
	f.Add("AADSTS", "AADSTS AADSTS12 AADSTS123456789 Correlation ID: x")
	f.Add("{error}", "\x00{number}\u202e")
	f.Fuzz(func(t *testing.T, code, description string) {
		fault := OAuth(code, description, fullOAuth())
		if fault.Code == "" || fault.Cause == "" || fault.Who == "" || fault.Remedy == "" {
			t.Fatalf("unexplained: %+v", fault)
		}
		if strings.ContainsAny(fault.Reply+fault.Cause+fault.Remedy, "\x00\x1b\r") {
			t.Fatalf("control characters: %+v", fault)
		}
		if m := parseMicrosoft(description); m.code != "" && !strings.Contains(description, m.code) {
			t.Fatalf("invented %s", m.code)
		}
	})
}
