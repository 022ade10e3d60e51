package web

import (
	"context"

	"orbit/internal/account"
	"orbit/internal/oauth"
)

// smtpGrants are the failed grants of the mailboxes as which SMTP accounts sign in with OAuth 2.0, themselves or through
// the proxy inside, by the id of the account: an account shows what its provider says before its next mail fails.
func (s *Server) smtpGrants(ctx context.Context, rows []account.SMTPRow) (map[int64]oauth.Grant, error) {
	if s.OAuth == nil { // pages without a proxy
		return nil, nil
	}
	failed, err := s.failedGrants(ctx)
	if err != nil || len(failed) == 0 {
		return nil, err
	}
	stored, err := s.Credentials.List(ctx)
	if err != nil {
		return nil, err
	}
	usernames := map[int64]string{}
	for _, c := range stored {
		usernames[c.ID] = c.Username
	}
	of := map[int64]oauth.Grant{}
	for _, a := range rows {
		mailbox := usernames[a.CredentialID]
		if mailbox == "" {
			mailbox = a.SenderEmail
		}
		grant, found := failed[oauth.Normal(mailbox)]
		if found && a.UseAuthentication && (a.AuthenticationType == account.OAuth2 || s.Proxies.Own(a.SMTPHost, a.Port)) {
			of[a.ID] = grant
		}
	}
	return of, nil
}

// failedGrants are those that somebody has to act on, by address.
func (s *Server) failedGrants(ctx context.Context) (map[string]oauth.Grant, error) {
	all, err := s.OAuth.Grants(ctx, 0)
	failed := map[string]oauth.Grant{}
	for _, g := range all {
		if g.State == oauth.Failed && g.Fault != nil {
			failed[g.Address] = g
		}
	}
	return failed, err
}
