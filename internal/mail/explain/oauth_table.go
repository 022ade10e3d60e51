package explain

import (
	"slices"
	"strings"

	"orbit/internal/mail/ladder"
)

// oauthEntries is the dictionary of identity providers: what Microsoft and Google say, then RFC 6749 and RFC 8628.
var oauthEntries = slices.Concat(microsoftOAuth, googleOAuth, standardOAuth)

var standardOAuth = []Entry{
	rfcCode("authorization_pending", "The device flow waits for somebody to enter the code.", ladder.Nobody,
		"Open the page, enter the code and sign in as {mailbox}.").temporary(),
	rfcCode("slow_down", "The identity provider was asked too often in the device flow.", ladder.Nobody,
		"Orbit asks more slowly by itself.").throttled(),
	rfcCode("expired_token", "The time to enter the code of the device flow is over.", ladder.You,
		"Start the authorisation again and enter the new code in time.").authorise(),
	rfcCode("access_denied", "The person who signed in, or a policy, refused the permissions.", ladder.MailboxOwner,
		"Start the authorisation again and accept, or ask the provider's administrator to allow the application {client_id}.").authorise(),
	rfcCode("authorization_declined", "The person who signed in refused the permissions.", ladder.MailboxOwner,
		"Start the authorisation again and accept.").authorise(),
	rfcCode("invalid_grant", "The grant of {mailbox} has ended or was revoked, or the code was used twice.", ladder.You,
		"Authorise {mailbox} again.").authorise(),
	rfcCode("invalid_client", "Client id or client secret is wrong.", ladder.You,
		"Compare client id {client_id} with the registration at {token_host}, and enter the secret again."),
	rfcCode("unauthorized_client", "The client {client_id} may not use the flow {flow}.", ladder.You,
		"Allow the flow for this client at {token_host}, or choose another flow at the registration."),
	rfcCode("unsupported_grant_type", "{token_host} does not know the flow {flow}.", ladder.You,
		"Choose another flow at the registration."),
	rfcCode("unsupported_response_type", "The identity provider does not give codes to the client {client_id}.", ladder.You,
		"Allow the flow authorization_code for this client."),
	rfcCode("invalid_scope", "The scope is unknown or not allowed. Set: {scope}", ladder.You,
		"Correct the scope at the registration as the provider's documentation writes it."),
	rfcCode("invalid_request", "The request was not complete for {token_host}.", ladder.You,
		"Check permission URL, token URL, redirect URI {redirect_uri} and scope of the registration."),
	rfcCode("invalid_resource", "The resource is unknown to {token_host}.", ladder.You,
		"Check the scope of the registration; the resource must exist in the tenant."),
	rfcCode("interaction_required", "A person must sign in again.", ladder.You,
		"Authorise {mailbox} again.").authorise(),
	rfcCode("login_required", "A person must sign in again.", ladder.You,
		"Authorise {mailbox} again.").authorise(),
	rfcCode("consent_required", "A person must consent again.", ladder.You,
		"Authorise {mailbox} again and accept the permissions.").authorise(),
	rfcCode("server_error", "The identity provider has a problem of its own.", ladder.Nobody,
		"It is tried again by itself.").temporary(),
	rfcCode("temporarily_unavailable", "The identity provider has no time at the moment.", ladder.Nobody,
		"It is tried again by itself.").temporary(),
	{
		Code: "oauth_other", Group: GroupOAuth, Seen: "(any other error)",
		Cause:  "The identity provider refused the request ({error}).",
		Who:    ladder.You,
		Remedy: "The reply says why. Check client id, secret, scope and token URL of the registration.",
	},
}

// rfcCode makes the entry for an error code of RFC 6749 4.1.2.1 and 5.2, RFC 8628 3.5 or OpenID Connect.
func rfcCode(code, cause string, who ladder.Who, remedy string) Entry {
	return Entry{
		Code: "oauth_" + code, Group: GroupOAuth, Seen: code, Cause: cause, Who: who, Remedy: remedy,
		match: pattern{codes: []string{code}},
	}
}

func join(codes []string) string { return strings.Join(codes, ", ") }
