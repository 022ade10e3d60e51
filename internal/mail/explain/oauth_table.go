package explain

import "orbit/internal/mail/ladder"

var oauthEntries = []Entry{
	{
		Code: "oauth_other", Group: GroupOAuth, Seen: "(any other error)",
		Cause:  "The identity provider {token_host} refused the request ({error}).",
		Who:    ladder.You,
		Remedy: "The reply says why. Check client id, secret, scope and token URL of the registration.",
	},
}
