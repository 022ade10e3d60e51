package idp

import (
	"net/http"
	"time"
)

// catalogue is what providers say, by the name that the error dictionary gives it. The texts are those of
// Microsoft and Google, so that whoever reads them finds the same words at the real ones.
var catalogue = map[string]Failure{
	// The application and its secret.
	"AADSTS7000215": entra(7000215, http.StatusUnauthorized, "invalid_client",
		"Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{client}'."),
	"AADSTS7000222": entra(7000222, http.StatusUnauthorized, "invalid_client",
		"The provided client secret keys for app '{client}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds."),
	"AADSTS7000218": entra(7000218, http.StatusUnauthorized, "invalid_client",
		"The request body must contain the following parameter: 'client_assertion' or 'client_secret'."),
	"AADSTS700025": entra(700025, http.StatusUnauthorized, "invalid_client",
		"Client is public so neither 'client_assertion' nor 'client_secret' should be presented."),
	"AADSTS700016": entra(700016, http.StatusBadRequest, "unauthorized_client",
		"Application with identifier '{client}' was not found in the directory '{tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."),
	"AADSTS700027": entra(700027, http.StatusUnauthorized, "invalid_client",
		"The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Thumbprint of key used by client: '{thumbprint}', Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id '{client}'.]"),
	"AADSTS700024": entra(700024, http.StatusUnauthorized, "invalid_client",
		"Client assertion is not within its valid time range. Current time: {now}."),
	"AADSTS7000229": entra(7000229, http.StatusUnauthorized, "unauthorized_client",
		"The client application {client} is missing service principal in the tenant {tenant}. See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119"),
	"AADSTS90002": entra(90002, http.StatusBadRequest, "invalid_request",
		"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."),

	// Consent.
	"AADSTS50011": onPage(entra(50011, http.StatusBadRequest, "invalid_request",
		"The redirect URI '{redirect}' specified in the request does not match the redirect URIs configured for the application '{client}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal. Navigate to https://aka.ms/redirectUriMismatchError to learn more about how to troubleshoot this error.")),
	"AADSTS500112": entra(500112, http.StatusBadRequest, "invalid_grant",
		"The reply address '{redirect}' does not match the reply address provided when requesting Authorization code."),
	"AADSTS65001": entra(65001, http.StatusBadRequest, "invalid_grant",
		"The user or administrator has not consented to use the application with ID '{client}' named '{app}'. Send an interactive authorization request for this user and resource."),
	"AADSTS90094": at(AtAuthorise, entra(90094, http.StatusBadRequest, "consent_required",
		"The grant requires admin permission.")),
	"AADSTS65004": at(AtAuthorise, entra(65004, http.StatusBadRequest, "access_denied",
		"User declined to consent to access the app.")),
	"AADSTS9002325": at(AtAuthorise, entra(9002325, http.StatusBadRequest, "invalid_request",
		"Proof Key for Code Exchange is required for cross-origin authorization code redemption.")),
	"AADSTS501481": entra(501481, http.StatusBadRequest, "invalid_grant",
		"The Code_Verifier does not match the code_challenge supplied in the authorization request."),
	"AADSTS54005": entra(54005, http.StatusBadRequest, "invalid_grant",
		"OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token."),

	// Scopes and requests.
	"AADSTS70011": entra(70011, http.StatusBadRequest, "invalid_scope",
		"The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid."),
	"AADSTS900144": entra(900144, http.StatusBadRequest, "invalid_request",
		"The request body must contain the following parameter: 'scope'."),
	"AADSTS1002012": entra(1002012, http.StatusBadRequest, "invalid_scope",
		"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."),
	"AADSTS500011": entra(500011, http.StatusBadRequest, "invalid_resource",
		"The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant."),
	"AADSTS70003": entra(70003, http.StatusBadRequest, "unsupported_grant_type",
		"The app requested an unsupported grant type '{grant}'."),
	"AADSTS9002313": entra(9002313, http.StatusBadRequest, "invalid_request",
		"Invalid request. Request is malformed or invalid."),

	// Grants that ended.
	"AADSTS700082": entra(700082, http.StatusBadRequest, "invalid_grant",
		"The refresh token has expired due to inactivity. The token was issued on {issued} and was inactive for 90.00:00:00."),
	"AADSTS70008": entra(70008, http.StatusBadRequest, "invalid_grant",
		"The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource."),
	"AADSTS70043": sub("token_expired", entra(70043, http.StatusBadRequest, "invalid_grant",
		"The refresh token has expired or is invalid due to sign-in frequency checks by conditional access. The token was issued on {issued} and the maximum allowed lifetime for this request is 86400.")),
	"AADSTS50078": sub("basic_action", entra(50078, http.StatusBadRequest, "invalid_grant",
		"Presented multi-factor authentication has expired due to policies configured by your administrator, you must refresh your multi-factor authentication to access '{resource}'.")),
	"AADSTS50173": sub("bad_token", entra(50173, http.StatusBadRequest, "invalid_grant",
		"The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password. The grant was issued on '{issued}' and the TokensValidFrom date (before which tokens are not valid) for this user is '{now}'.")),
	"AADSTS70000": entra(70000, http.StatusBadRequest, "invalid_grant",
		"Provided grant is invalid or malformed."),

	// The person who should sign in.
	"AADSTS50076": sub("basic_action", entra(50076, http.StatusBadRequest, "invalid_grant",
		"Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '{resource}'.")),
	"AADSTS50079": sub("basic_action", entra(50079, http.StatusBadRequest, "invalid_grant",
		"Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access '{resource}'.")),
	"AADSTS50158": sub("basic_action", entra(50158, http.StatusBadRequest, "interaction_required",
		"External security challenge not satisfied. User will be redirected to another page or authentication provider to satisfy additional authentication challenges.")),
	"AADSTS53003": sub("message_only", entra(53003, http.StatusBadRequest, "invalid_grant",
		"Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.")),
	"AADSTS53000": sub("additional_action", entra(53000, http.StatusBadRequest, "interaction_required",
		"Device is not in required device state: compliant. Conditional Access policy requires a compliant device, and the device is not compliant. The user must enroll their device with an approved MDM provider like Intune.")),
	"AADSTS50126": entra(50126, http.StatusBadRequest, "invalid_grant",
		"Error validating credentials due to invalid username or password."),
	"AADSTS50034": entra(50034, http.StatusBadRequest, "invalid_grant",
		"The user account {mailbox} does not exist in the {tenant} directory. To sign into this application, the account must be added to the directory."),
	"AADSTS50057": entra(50057, http.StatusBadRequest, "invalid_grant",
		"The user account is disabled."),

	// The device flow.
	"AADSTS70016": entra(70016, http.StatusBadRequest, "authorization_pending",
		"OAuth 2.0 device flow error. Authorization is pending. Continue polling."),
	"AADSTS70020": entra(70020, http.StatusBadRequest, "expired_token",
		"The provided value for the input parameter 'device_code' is not valid. This device code has expired."),
	"authorization_declined": bare(http.StatusBadRequest, "authorization_declined", "", ""),
	"authorization_pending":  bare(http.StatusPreconditionRequired, "authorization_pending", "", "Precondition Required"),
	"slow_down":              bare(http.StatusForbidden, "slow_down", "", "Rate Limit Exceeded"),
	"expired_token":          bare(http.StatusBadRequest, "expired_token", "", "The device code has expired."),

	// Trouble of the provider's own.
	"AADSTS50196": later(time.Minute, entra(50196, http.StatusTooManyRequests, "invalid_request",
		"The server terminated an operation because it encountered a client request loop. Please contact your app vendor.")),
	"AADSTS90033": later(30*time.Second, entra(90033, http.StatusServiceUnavailable, "temporarily_unavailable",
		"A transient error has occurred. Please try again.")),
	"server_error": {At: AtToken, Status: http.StatusBadGateway, Body: "<html><body><h1>502 Bad Gateway</h1></body></html>"},

	// Google.
	"invalid_grant":           bare(http.StatusBadRequest, "invalid_grant", "", "Token has been expired or revoked."),
	"invalid_rapt":            bare(http.StatusBadRequest, "invalid_grant", "invalid_rapt", "reauth related error (invalid_rapt)"),
	"invalid_code":            bare(http.StatusBadRequest, "invalid_grant", "", "Malformed auth code."),
	"invalid_email":           bare(http.StatusBadRequest, "invalid_grant", "", "Invalid email or User ID"),
	"invalid_jwt_time":        bare(http.StatusBadRequest, "invalid_grant", "", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim."),
	"invalid_jwt_signature":   bare(http.StatusBadRequest, "invalid_grant", "", "Invalid JWT Signature."),
	"redirect_uri_mismatch":   onPage(bare(http.StatusBadRequest, "redirect_uri_mismatch", "", "You can't sign in to this app because it doesn't comply with Google's OAuth 2.0 policy. If you're the app developer, register the redirect URI in the Google Cloud Console: {redirect}")),
	"unauthorized_client":     bare(http.StatusUnauthorized, "unauthorized_client", "", "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested."),
	"admin_policy_enforced":   onPage(bare(http.StatusBadRequest, "admin_policy_enforced", "", "This app isn't allowed by your institution's admin.")),
	"org_internal":            onPage(bare(http.StatusForbidden, "org_internal", "", "{app} can only be used within its organization.")),
	"access_denied":           at(AtAuthorise, bare(http.StatusForbidden, "access_denied", "", "")),
	"invalid_client":          bare(http.StatusUnauthorized, "invalid_client", "", "The OAuth client was not found."),
	"deleted_client":          bare(http.StatusUnauthorized, "deleted_client", "", "The OAuth client was deleted."),
	"invalid_scope":           bare(http.StatusBadRequest, "invalid_scope", "", "Some requested scopes were invalid. {invalid=[{scope}]}"),
	"invalid_request":         bare(http.StatusBadRequest, "invalid_request", "", "Missing or malformed parameter."),
	"unsupported_grant_type":  bare(http.StatusBadRequest, "unsupported_grant_type", "", "Invalid grant_type: {grant}"),
	"temporarily_unavailable": later(30*time.Second, bare(http.StatusServiceUnavailable, "temporarily_unavailable", "", "")),
}

// entra is a failure of the Microsoft identity platform.
func entra(number, status int, code, text string) Failure {
	return Failure{At: AtToken, Status: status, Error: code, Number: number, Description: text}
}

// bare is a failure in the form of RFC 6749 5.2, which Google keeps to.
func bare(status int, code, subtype, text string) Failure {
	return Failure{At: AtToken, Status: status, Error: code, Subtype: subtype, Description: text}
}

func at(endpoint Endpoint, f Failure) Failure { f.At = endpoint; return f }

func sub(subtype string, f Failure) Failure { f.Subtype = subtype; return f }

func later(wait time.Duration, f Failure) Failure { f.RetryAfter = wait; return f }

// onPage is a failure that the person sees who wanted to sign in: where to send them back is not certain.
func onPage(f Failure) Failure { f.At, f.OnPage = AtAuthorise, true; return f }
