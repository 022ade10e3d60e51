package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"orbit/internal/app"
	"orbit/internal/oauth"
	"orbit/internal/problem"
	"orbit/internal/proxyhost"
)

func newEmailOAuth2Proxy() *cobra.Command {
	cmd := group("email-oauth2-proxy", "Register, authorise and run the OAuth 2.0 mail proxy",
		newProxyRegister(), newProxyList(), newProxyShow(), newProxyRemove(), newProxyImport(), newProxyExport(), newProxyAuthorize(),
		newProxyStart(), newProxyStop(), newProxyRestart(), newProxyStatus(), newProxyLogs(),
	)
	cmd.Long = `Mail providers that accept only OAuth 2.0 (Microsoft 365, Google) are reached through local ports of Orbit:
mail programs and Orbit's own accounts sign in there with a registered credential, and Orbit signs in at the
provider with a token.

The way: register the application, authorise the mailbox, test an account. A running "orbit serve" follows
every change within a second.`
	cmd.Example = `  orbit email-oauth2-proxy register --provider=microsoft365 --tenant-id=TENANT_ID \
      --oauth2-client-id=CLIENT_ID --oauth2-client-secret=CLIENT_SECRET
  orbit email-oauth2-proxy authorize alerts@example.com
  orbit email-oauth2-proxy status`
	return cmd
}

// findRegistration takes an id or what a registration applies to: 3, @, @example.com, alerts@example.com.
func findRegistration(ctx context.Context, o *app.Orbit, name string) (oauth.Registration, error) {
	if id, err := strconv.ParseInt(name, 10, 64); err == nil {
		found, err := o.OAuth.Find(ctx, id)
		return found, missing(err, "There is no registration with the id %d; see: orbit email-oauth2-proxy list", id)
	}
	all, err := o.OAuth.List(ctx)
	if err != nil {
		return oauth.Registration{}, err
	}
	for _, r := range all {
		if r.Pattern == oauth.Normal(name) {
			return r, nil
		}
	}
	return oauth.Registration{}, problem.Refuse("There is no registration for %s; see: orbit email-oauth2-proxy list", name)
}

// findListeners takes names or ids; without any it means all.
func findListeners(ctx context.Context, o *app.Orbit, names []string) ([]int64, error) {
	var ids []int64
	for _, name := range names {
		var found proxyhost.Listener
		id, err := strconv.ParseInt(name, 10, 64)
		if err == nil {
			found, err = o.Proxies.Find(ctx, id)
		} else {
			found, err = o.Proxies.FindByName(ctx, name)
		}
		if err != nil {
			return nil, missing(err, "There is no listener %s; see: orbit email-oauth2-proxy status", name)
		}
		ids = append(ids, found.ID)
	}
	return ids, nil
}

// missing puts a sentence in place of "not found".
func missing(err error, format string, args ...any) error {
	if errors.Is(err, problem.ErrNotFound) {
		return problem.Refuse(format, args...)
	}
	return err
}

// agree asks whether to go on. Without a terminal nobody can answer, so the answer is no.
func agree(cmd *cobra.Command, question string) bool {
	file, isFile := cmd.InOrStdin().(*os.File)
	if !isFile || !term.IsTerminal(int(file.Fd())) {
		return false
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s [y/N] ", question)
	line, err := bufio.NewReader(io.LimitReader(file, 100)).ReadString('\n')
	return err == nil && strings.HasPrefix(strings.ToLower(strings.TrimSpace(line)), "y")
}

// ofMany writes "2 of 3".
func ofMany(n, all int) string { return fmt.Sprintf("%d of %d", n, all) }
