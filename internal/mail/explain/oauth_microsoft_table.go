package explain

import (
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/provider"
)

const signInLog = "The reason stands in {portal} > Monitoring & health > Sign-in logs, under correlation id {correlation_id} ({timestamp})."

// microsoftOAuth explains the numbers of the Microsoft identity platform that a mail client meets.
var microsoftOAuth = []Entry{
	aadsts("An application secret is wrong; often the secret's ID was pasted instead of its Value.", ladder.You,
		"{portal} > App registrations > {client_id} > Certificates & secrets: copy the column Value (shown once, right after it is made; the Secret ID has "+
			"the form of a GUID), or make a new secret, and enter it at the registration.",
		"7000215", "70002"),
	aadsts("The client secret has expired.", ladder.You,
		"{portal} > App registrations > {client_id} > Certificates & secrets: make a new secret. Enter it in the second slot of the registration, test it and switch. "+
			"A certificate needs that less often.",
		"7000222"),
	aadsts("The application {client_id} is not known in the tenant {tenant}.", ladder.You,
		"Compare client id and tenant id with {portal} > App registrations > Overview. For an application of another tenant an administrator of {tenant} opens this once:\n{consent_url}",
		"700016", "700011"),
	aadsts("The application {client_id} is disabled.", ladder.Microsoft365,
		"{portal} > Enterprise applications > {client_id} > Properties: Enabled for users to sign in = Yes.",
		"7000112", "70001", "1000031"),
	aadsts("The tenant {tenant} does not exist in this cloud.", ladder.You,
		"Check the tenant id in the token URL {token_url}; the China and US Government clouds have other addresses ({authority} is set).",
		"90002", "900023", "90038", "900382", "900432"),
	aadsts("The redirect URI is not registered for the application {client_id}.", ladder.You,
		"{portal} > App registrations > {client_id} > Authentication > Add a platform > Web: register exactly this URI, then try again:\n{redirect_uri}",
		"50011", "70004", "500112", "500113", "900971"),
	aadsts("Nobody has consented to the permissions of the application {client_id}.", ladder.Microsoft365,
		"An administrator opens this address once and accepts:\n{consent_url}\nWithout it every mailbox owner must consent at the first sign-in.",
		"65001", "90094", "90095", "90008", "9002341"),
	aadsts("The person who signed in declined the consent.", ladder.MailboxOwner,
		"Start the authorisation again and accept the permissions.",
		"65004"),
	aadsts("The application {client_id} lacks the permission for this scope.", ladder.You,
		"{portal} > App registrations > {client_id} > API permissions > Add > APIs my organization uses > Office 365 Exchange Online: add the permissions of the scope "+
			"({scope}), then Grant admin consent.",
		"650056", "650057", "65005", "650052", "650054"),
	aadsts("The scope is not valid for this flow. Set: {scope}", ladder.You,
		"With client credentials the scope is exactly {default_scope}. With a sign-in it is, for example, {resource}/SMTP.Send offline_access (full addresses, one resource only).",
		"70011", "1002012", "28002", "28003", "700022", "700023", "90014", "900144"),
	aadsts("The resource of the scope is not known in the tenant {tenant}. Set: {scope}", ladder.You,
		"Use the address of Exchange Online in this cloud: {default_scope}. A tenant without any Exchange Online licence does not have the resource.",
		"500011", "50001", "901002"),
	aadsts("The grant was not used for 90 days and has ended.", ladder.You,
		"Authorise {mailbox} again. Orbit refreshes the grant by itself while it runs, so this happens after a long pause only.",
		"700082", "70008").authorise(),
	aadsts("A conditional access rule demands a fresh sign-in from time to time, and that time is over.", ladder.Microsoft365,
		"Authorise {mailbox} again. So that it lasts, exclude this account from the rule for sign-in frequency, or use the flow client credentials.",
		"70043", "50078", "50089", "50132").authorise(),
	aadsts("The grant was revoked: the password was changed, or the sessions were revoked.", ladder.You,
		"Authorise {mailbox} again.",
		"50173", "50133", "70000", "50085", "50139").authorise(),
	aadsts("The authorisation code was used a second time or came too late.", ladder.You,
		"Start the authorisation again; do not reload the last page.",
		"54005", "70007", "500089").authorise(),
	aadsts("The grant was issued to a web page of another kind (single-page application) and lives one day only.", ladder.You,
		"{portal} > App registrations > {client_id} > Authentication: move the redirect URI {redirect_uri} from Single-page application to Web, then authorise again.",
		"700084", "9002327", "9002326").authorise(),
	aadsts("A second factor is demanded, and in the flow {flow} nobody can answer.", ladder.You,
		"Authorise {mailbox} interactively (authorization_code or device), or use client credentials, which belong to the application and need no second factor.",
		"50076", "50079", "50158", "50074", "50072", "53004", "700020", "50097").authorise(),
	aadsts("Conditional access blocks this sign-in.", ladder.Microsoft365,
		signInLog+" Exclude this account or this application from the policy, or use client credentials.",
		"53003", "53000", "53001", "53002", "530032", "530034", "50131", "50005", "50155", "53011"),
	aadsts("Security defaults block this sign-in.", ladder.Microsoft365,
		"The flow {flow} counts as old. Authorise {mailbox} interactively, or use client credentials.",
		"530035"),
	aadsts("{mailbox} may not use the application {client_id}.", ladder.Microsoft365,
		"{portal} > Enterprise applications > {client_id} > Users and groups: assign {mailbox}, or set Assignment required = No under Properties.",
		"50105"),
	aadsts("User name or password of {mailbox} is wrong.", ladder.MailboxOwner,
		"Check both at {authority}. The flow password is kept for imported registrations only: choose authorization_code, device or client_credentials.",
		"50126", "50056", "50064"),
	aadsts("There is no user {mailbox} in the tenant {tenant}.", ladder.You,
		"Check address and tenant id. It must be the sign-in name (user principal name), which can differ from the e-mail address; personal Microsoft accounts belong to no tenant.",
		"50034", "51004", "50020", "50014", "16000", "16003", "500208", "90072"),
	aadsts("The user {mailbox} is disabled.", ladder.Microsoft365,
		"Enable the sign-in: {portal} > Users > {mailbox}. A shared mailbox has its sign-in blocked on purpose: authorise with a person who has Full Access, or use client credentials.",
		"50057"),
	aadsts("{mailbox} is locked after too many sign-ins with a wrong password, or the network address is distrusted.", ladder.Microsoft365,
		"Wait, and stop programs that still use an old password. "+signInLog,
		"50053").temporary(),
	aadsts("The password of {mailbox} has expired or must be changed.", ladder.MailboxOwner,
		"Sign in at {authority}, set a new password, then authorise again.",
		"50055", "50144", "50125", "50135").authorise(),
	aadsts("The certificate or its signature is not accepted for the application {client_id}.", ladder.You,
		"{portal} > App registrations > {client_id} > Certificates & secrets > Certificates: upload the certificate with thumbprint {thumbprint}. It must not have "+
			"expired, and the clock of this machine must be right.",
		"700027", "700030", "50012", "50013", "500133", "5002723", "50027", "900384"),
	aadsts("The client assertion is outside its time: this machine's clock is wrong.", ladder.You,
		"Set the clock:\ntimedatectl set-ntp true",
		"700024").temporary(),
	aadsts("The application {client_id} has no service principal in the tenant {tenant}.", ladder.Microsoft365,
		"Create the enterprise application by consenting to it once:\n{consent_url}",
		"7000229"),
	aadsts("The application {client_id} is registered as confidential, but came without a secret.", ladder.You,
		"Enter a client secret or a certificate at the registration; or, for the device flow, {portal} > App registrations > {client_id} > Authentication > Allow public client flows = Yes.",
		"7000218", "7000216"),
	aadsts("The application {client_id} is registered as public, but came with a secret.", ladder.You,
		"Leave the client secret empty; or {portal} > App registrations > {client_id} > Authentication: register {redirect_uri} under Web instead of Mobile and desktop.",
		"700025", "7000219"),
	aadsts("The application {client_id} belongs to one tenant, but the URL says \"common\".", ladder.You,
		"Put the tenant id into permission URL and token URL instead of common ({portal} > Overview > Tenant ID).",
		"50194", "9001023", "90130", "90124", "50059", "90019", "50128", "9002332", "700005"),
	aadsts("The application may not use the flow {flow}.", ladder.You,
		"{portal} > App registrations > {client_id} > Authentication: for device and password set Allow public client flows = Yes; for authorization_code register the redirect URI under Web.",
		"70003", "700054", "70005", "7000114"),
	aadsts("The proof of the browser's session (PKCE) does not fit.", ladder.You,
		"Start the authorisation again in one browser, and do not open an older link.",
		"501481", "50147", "501491", "9002325").authorise(),
	aadsts("The request is malformed: a parameter is missing, or a value was cut off when it was pasted.", ladder.You,
		"Compare client id, scope, permission URL and token URL of the registration with {portal} > App registrations > {client_id} > Overview > Endpoints.",
		"9002313"),
	aadsts("The device flow waits for somebody to enter the code.", ladder.Nobody,
		"Open the page, enter the code and sign in as {mailbox}.",
		"70016").temporary(),
	aadsts("The code of the device flow was wrong, or its time is over.", ladder.You,
		"Start the authorisation again and enter the new code within 15 minutes.",
		"70018", "70019", "70020", "90119", "90120", "50134").authorise(),
	aadsts("The tenant {tenant} restricts from where or with which tenants people may sign in.", ladder.Microsoft365,
		"Allow it in tenant restrictions or cross-tenant access settings, or sign in from an allowed network. "+signInLog,
		"50002", "500021", "500022", "500212", "500213", "90123"),
	aadsts("Too many requests: Microsoft slows this application or tenant down.", ladder.Nobody,
		"It is tried again by itself. If it stays so, another program asks for tokens with {client_id} without keeping them.",
		"50196", "90055", "50088").throttled(),
	aadsts("Microsoft's sign-in service has a problem of its own.", ladder.Nobody,
		"It is tried again by itself. See https://admin.microsoft.com > Health if it stays so.",
		"50000", "50033", "90006", "90012", "90024", "90033", "90090", "90091", "40010", "50087", "70012", "80001", "80002", "80007").temporary(),
	{
		Code: "oauth_microsoft_other", Group: GroupMicrosoft, Seen: "AADSTS (any other number)",
		Cause:  "Microsoft refused the request ({number}).",
		Who:    ladder.You,
		Remedy: "The number is explained at https://login.microsoftonline.com/error?code={digits}. " + signInLog,
		match:  pattern{codes: []string{"AADSTS*"}},
	},
}

// aadsts makes the entry for numbers that mean the same. The first number names it.
func aadsts(cause string, who ladder.Who, remedy string, numbers ...string) Entry {
	codes := make([]string, len(numbers))
	for i, n := range numbers {
		codes[i] = "AADSTS" + n
	}
	return Entry{
		Code: codes[0], Group: GroupMicrosoft, Seen: join(codes), Cause: cause, Who: who, Remedy: remedy,
		match: pattern{provider: provider.Microsoft365, codes: codes},
	}
}

func (e Entry) authorise() Entry {
	e.Authorise = true
	return e
}
