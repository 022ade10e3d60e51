package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"orbit/internal/app"
	"orbit/internal/oauth"
	"orbit/internal/problem"
)

func newProxyAuthorize() *cobra.Command {
	var direct, asJSON bool
	cmd := &cobra.Command{
		Use: "authorize MAILBOX", Short: "Print the address at which somebody authorises a mailbox", Args: exactly("MAILBOX"),
		Long: "Print the address at which the owner of a mailbox allows Orbit to use it. It is valid for 24 hours and may be opened\n" +
			"on any machine that reaches Orbit. With --direct it is the provider's own address, valid for 10 minutes.\n\n" +
			"Where nobody has to sign in (client credentials, service account), Orbit gets a token and shows it to the mail server.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error {
				a := authorization{cmd: cmd, orbit: o, address: oauth.Normal(args[0]), direct: direct, asJSON: asJSON}
				return a.run(ctx)
			})
		},
	}
	cmd.Flags().BoolVar(&direct, "direct", false, "print the provider's own address")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// authorization is one run of the command authorize.
type authorization struct {
	cmd            *cobra.Command
	orbit          *app.Orbit
	address        string
	direct, asJSON bool
}

func (a authorization) run(ctx context.Context) error {
	if local, domain, _ := strings.Cut(a.address, "@"); local == "" || domain == "" {
		return usagef("%q is no address of a mailbox", a.address)
	}
	r, err := a.orbit.OAuth.Lookup(ctx, a.address)
	if errors.Is(err, problem.ErrNotFound) {
		return problem.Refuse("No registration covers %s. Register it first: orbit email-oauth2-proxy register --help", a.address)
	}
	if err != nil {
		return err
	}
	if err := a.warnUnregistered(ctx, r); err != nil {
		return err
	}
	switch r.EffectiveFlow() {
	case oauth.AuthorizationCode, oauth.DeviceCode:
		return a.invite(ctx, r)
	case oauth.Password:
		password, err := askPassword(a.cmd.InOrStdin(), a.cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		return a.print(a.orbit.OAuth.SetPassword(ctx, a.address, password))
	case oauth.ClientCredentials, oauth.ServiceAccount:
	}
	return a.print(a.orbit.OAuth.Prove(ctx, a.address))
}

// warnUnregistered tells that a registration for many applies to registered credentials only.
func (a authorization) warnUnregistered(ctx context.Context, r oauth.Registration) error {
	if !r.CatchAll() {
		return nil
	}
	credentials, err := a.orbit.Credentials.List(ctx)
	if err != nil {
		return err
	}
	for _, c := range credentials {
		if oauth.Normal(c.Username) == a.address {
			return nil
		}
	}
	_, err = fmt.Fprintf(a.cmd.ErrOrStderr(), "warning: no credential has the username %s; register one (Settings > Credentials), or nobody can sign in at the proxy as this mailbox.\n", a.address)
	return err
}

// invite prints the sentence that the log has, too.
func (a authorization) invite(ctx context.Context, r oauth.Registration) error {
	asked := oauth.Invitation{ExpiresAt: time.Now().Add(10 * time.Minute)}
	var err error
	if a.direct && r.EffectiveFlow() == oauth.AuthorizationCode {
		asked.URL, err = a.orbit.OAuth.Direct(ctx, a.address)
		asked.Text = fmt.Sprintf("Please visit the following URL to authenticate account %s: %s", a.address, asked.URL)
	} else {
		asked, err = a.orbit.OAuth.Invite(ctx, a.address)
	}
	if err != nil {
		return err
	}
	out := a.cmd.OutOrStdout()
	if a.asJSON {
		return printJSON(out, map[string]any{"address": a.address, "url": asked.URL, "user_code": asked.UserCode, "expires_at": asked.ExpiresAt.UTC()})
	}
	fmt.Fprintln(out, asked.Text)
	_, err = fmt.Fprintf(a.cmd.ErrOrStderr(), "Valid until %s. orbit email-oauth2-proxy status shows when it is done.\n", asked.ExpiresAt.Local().Format("2006-01-02 15:04 MST"))
	return err
}

// print says how an authorisation without a browser ended. Without a token, or with one that the mail server does not
// accept, it is exit status 1; one that waits for its first sign-in is none.
func (a authorization) print(o oauth.Outcome, err error) error {
	if err != nil {
		return err
	}
	out := a.cmd.OutOrStdout()
	if a.asJSON {
		err = printJSON(out, o)
	} else {
		printOutcome(out, o)
	}
	if err == nil && (!o.Authorised || o.Fault != nil) {
		return &quietError{}
	}
	return err
}

func printOutcome(out io.Writer, o oauth.Outcome) {
	fmt.Fprintln(out, o.Text())
	if f := o.Fault; f != nil {
		fmt.Fprintf(out, "%s\nWho must act: %s\nWhat to do:\n%s\n", f.Cause, f.Who, indent(f.Remedy, "  "))
		if f.Reply != "" {
			fmt.Fprintf(out, "The server said: %s\n", f.Reply)
		}
	}
}
