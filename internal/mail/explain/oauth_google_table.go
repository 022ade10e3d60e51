package explain

import (
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/provider"
)

const googleConsole = "https://console.cloud.google.com/apis/credentials"

var googleOAuth = []Entry{
	{
		Code: "google_clock", Group: GroupGoogle, Seen: "invalid_grant: Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.",
		Cause:     "This machine's clock is wrong, so Google does not accept the signed request of the service account.",
		Who:       ladder.You,
		Remedy:    "Set the clock:\ntimedatectl set-ntp true",
		Temporary: true,
		match:     pattern{provider: provider.Google, text: []string{"reasonable timeframe", "iat and exp", "invalid jwt: token"}},
	},
	{
		Code: "google_jwt_signature", Group: GroupGoogle, Seen: "invalid_grant: Invalid JWT Signature.",
		Cause:  "The key of the service account was deleted or does not belong to it.",
		Who:    ladder.You,
		Remedy: googleConsole + " > service account > Keys: make a new JSON key and enter it at the registration.",
		match:  pattern{provider: provider.Google, text: []string{"invalid jwt signature", "account not found"}},
	},
	{
		Code: "google_no_such_user", Group: GroupGoogle, Seen: "invalid_grant: Invalid email or User ID",
		Cause:  "There is no user {mailbox} in this Google Workspace, whom the service account could stand for.",
		Who:    ladder.You,
		Remedy: "Check the address; an alias or a group does not do, it must be the user's main address.",
		match:  pattern{provider: provider.Google, codes: []string{"invalid_grant"}, text: []string{"invalid email", "not a valid email"}},
	},
	{
		Code: "google_code_used", Group: GroupGoogle, Seen: "invalid_grant: Malformed auth code. / Code was already redeemed.",
		Cause:     "The authorisation code was used a second time or came too late.",
		Who:       ladder.You,
		Remedy:    "Start the authorisation again; do not reload the last page.",
		Authorise: true,
		match:     pattern{provider: provider.Google, codes: []string{"invalid_grant"}, text: []string{"auth code", "already redeemed", "code was already"}},
	},
	{
		Code: "google_reauth", Group: GroupGoogle, Seen: "invalid_grant: reauth related error (invalid_rapt)",
		Cause:     "The Google Workspace demands a fresh sign-in from time to time, and that time is over.",
		Who:       ladder.GoogleAdmin,
		Remedy:    "Authorise {mailbox} again. So that it lasts, mark the app as trusted: Google Admin console > Security > Access and data control > Google Cloud session control > Exempt trusted apps.",
		Authorise: true,
		match:     pattern{provider: provider.Google, text: []string{"invalid_rapt", "reauth"}},
	},
	{
		Code: "google_invalid_grant", Group: GroupGoogle, Seen: "invalid_grant: Token has been expired or revoked.",
		Cause: "The grant of {mailbox} has ended: revoked, password changed, not used for six months, or the app is in \"Testing\", where grants live seven days.",
		Who:   ladder.You,
		Remedy: "Authorise {mailbox} again. If it ends after seven days: https://console.cloud.google.com/auth/audience > Publish app, or User type Internal within a Google " +
			"Workspace. More than 100 grants of one user for one client end the oldest.",
		Authorise: true,
		match:     pattern{provider: provider.Google, codes: []string{"invalid_grant"}},
	},
	{
		Code: "google_redirect_uri_mismatch", Group: GroupGoogle, Seen: "redirect_uri_mismatch",
		Cause:  "The redirect URI is not registered for the client {client_id}.",
		Who:    ladder.You,
		Remedy: googleConsole + " > {client_id} > Authorized redirect URIs: add exactly this URI, wait some minutes and try again:\n{redirect_uri}",
		match:  pattern{codes: []string{"redirect_uri_mismatch"}},
	},
	{
		Code: "google_unauthorized_client", Group: GroupGoogle, Seen: "unauthorized_client: Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.",
		Cause: "The service account {client_id} has no domain-wide delegation for this scope.",
		Who:   ladder.GoogleAdmin,
		Remedy: "Google Admin console > Security > Access and data control > API controls > Manage domain-wide delegation > Add new: client id {client_id} (the number of the service account), " +
			"scope https://mail.google.com/. It takes up to a day.",
		match: pattern{provider: provider.Google, codes: []string{"unauthorized_client"}},
	},
	{
		Code: "google_admin_policy_enforced", Group: GroupGoogle, Seen: "admin_policy_enforced",
		Cause:  "The Google Workspace of {mailbox} does not allow the app {client_id}.",
		Who:    ladder.GoogleAdmin,
		Remedy: "Google Admin console > Security > Access and data control > API controls > Manage app access > Configure new app: client id {client_id}, access Trusted.",
		match:  pattern{codes: []string{"admin_policy_enforced", "access_not_configured", "policy_enforced"}},
	},
	{
		Code: "google_org_internal", Group: GroupGoogle, Seen: "org_internal",
		Cause:  "The app {client_id} is internal to another Google Workspace than that of {mailbox}.",
		Who:    ladder.You,
		Remedy: "Sign in with a mailbox of the Google Workspace that owns the app, or make the app External: https://console.cloud.google.com/auth/audience.",
		match:  pattern{codes: []string{"org_internal"}},
	},
	{
		Code: "google_access_denied_testing", Group: GroupGoogle, Seen: "access_denied: The app is being tested and can only be accessed by developer-approved testers.",
		Cause:  "The app {client_id} is in \"Testing\", and {mailbox} is not among its test users; or the person declined.",
		Who:    ladder.You,
		Remedy: "https://console.cloud.google.com/auth/audience: add {mailbox} as test user, publish the app, or make it Internal. Then authorise again and accept.",
		match:  pattern{provider: provider.Google, codes: []string{"access_denied"}}, Authorise: true,
	},
	{
		Code: "google_deleted_client", Group: GroupGoogle, Seen: "deleted_client: The OAuth client was deleted.",
		Cause:  "The client {client_id} was deleted.",
		Who:    ladder.You,
		Remedy: googleConsole + ": restore it (within 30 days) or create an OAuth client ID of type Web application with this redirect URI, and enter it at the registration:\n{redirect_uri}",
		match:  pattern{codes: []string{"deleted_client", "disabled_client"}},
	},
	{
		Code: "google_invalid_client", Group: GroupGoogle, Seen: "invalid_client: The OAuth client was not found. / Unauthorized",
		Cause:  "Client id or client secret is wrong.",
		Who:    ladder.You,
		Remedy: googleConsole + ": compare the client id {client_id}, add a new client secret there and enter it at the registration. The type must be Web application (for the device flow: TVs and Limited Input devices).",
		match:  pattern{provider: provider.Google, codes: []string{"invalid_client"}},
	},
	{
		Code: "google_invalid_scope", Group: GroupGoogle, Seen: "invalid_scope: Some requested scopes were invalid.",
		Cause:  "Google does not know the scope or does not allow it in this flow. Set: {scope}",
		Who:    ladder.You,
		Remedy: "The scope is exactly https://mail.google.com/ . Google's device flow does not allow it: use authorization_code or service_account.",
		match:  pattern{provider: provider.Google, codes: []string{"invalid_scope", "restricted_client"}},
	},
}
