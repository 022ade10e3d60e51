package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"orbit/internal/app"
	"orbit/internal/oauth"
	"orbit/internal/oauth/plan"
	"orbit/internal/oauth/preset"
	"orbit/internal/problem"
	"orbit/internal/proxyhost"
)

const secretFlag = "--oauth2-client-secret"

func newProxyRegister() *cobra.Command {
	cmd := &cobra.Command{
		Use: "register", Short: "Register an OAuth 2.0 client and open its local ports",
		Long: "Register an OAuth 2.0 client, for all registered credentials or for one --domain or --account, and open local ports\n" +
			"to its mail servers. Blank arguments are ignored and values are trimmed, so that the command may be pasted from a page.\n" +
			"What is missing is answered with the complete command.\n\n" +
			"A secret on the command line stays in the shell's history: with " + secretFlag + "=- it is asked for, or read from\n" +
			"standard input.\n\nFlags:\n" + plan.RegisterUsage() + "      --json                             print JSON\n",
		Example: `  orbit email-oauth2-proxy register --provider=microsoft365 --tenant-id=TENANT_ID \
      --oauth2-client-id=CLIENT_ID --oauth2-client-secret=CLIENT_SECRET`,
		DisableFlagParsing: true, // plan reads them: pasted blanks are not arguments
		RunE: func(cmd *cobra.Command, args []string) error {
			if slices.Contains(args, "--help") || slices.Contains(args, "-h") {
				return cmd.Help()
			}
			asJSON := slices.Contains(args, "--json")
			args, err := withSecret(cmd, slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a == "--json" }))
			if err != nil {
				return err
			}
			p, err := plan.Register(args, plan.Options{ReadFile: os.ReadFile})
			if err != nil {
				return wrongRegister(err)
			}
			return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error { return misused(apply(ctx, cmd, o, p, asJSON)) })
		},
	}
	cmd.InitDefaultHelpFlag()
	_ = cmd.Flags().MarkHidden("help") // the list above has all flags
	return cmd
}

// withSecret puts the secret that standard input has in place of "-", which may be an argument of its own.
func withSecret(cmd *cobra.Command, args []string) ([]string, error) {
	i, n := slices.Index(args, secretFlag+"=-"), 1
	if i < 0 {
		i, n = slices.Index(args, secretFlag), 2
		if i < 0 || i+1 == len(args) || args[i+1] != "-" {
			return args, nil
		}
	}
	secret, err := askPassword(cmd.InOrStdin(), cmd.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	return slices.Replace(args, i, i+n, secretFlag+"="+secret.Reveal()), nil
}

// wrongRegister makes wrong usage of what is wrong with the arguments: exit status 2.
func wrongRegister(err error) error {
	var incomplete *plan.Incomplete
	var refused *problem.Refused
	var invalid problem.Invalid
	if errors.As(err, &incomplete) || errors.As(err, &refused) || errors.As(err, &invalid) {
		return &usageError{err.Error()}
	}
	return err
}

// apply stores a plan. What is there already is replaced with --force, or when somebody at the terminal says so.
func apply(ctx context.Context, cmd *cobra.Command, o *app.Orbit, p plan.Plan, asJSON bool) error {
	done, err := o.Proxies.Apply(ctx, p)
	var confirm *problem.Confirm
	if errors.As(err, &confirm) && !p.Force && agree(cmd, confirm.Text+"\nReplace it?") {
		p.Force = true
		done, err = o.Proxies.Apply(ctx, p)
	}
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if asJSON {
		return printJSON(out, done)
	}
	printNotes(out, done.Notes)
	printApplied(out, done)
	printNext(out, o, done)
	return nil
}

// printNotes prints what was corrected first: was, now, why.
func printNotes(out io.Writer, notes []oauth.Note) {
	for _, corrected := range []bool{true, false} {
		for _, n := range notes {
			switch {
			case n.Corrected() != corrected:
			case corrected:
				fmt.Fprintf(out, "corrected  %s\n           was:  %s\n           now:  %s\n           why:  %s\n", n.Where, n.Was, n.Now, n.Why)
			default:
				fmt.Fprintf(out, "note       %s: %s\n", n.Where, n.Why)
			}
		}
	}
	if len(notes) > 0 {
		fmt.Fprintln(out)
	}
}

func printApplied(out io.Writer, done proxyhost.Applied) {
	for _, r := range done.Registrations {
		fmt.Fprintln(out, "Registered", registrationLine(r.Settings))
	}
	for _, l := range done.Listeners {
		fmt.Fprintf(out, "Listener   %s at %s for %s\n", l.Name, l.Local(), l.Server())
	}
	for _, warning := range done.Warnings {
		fmt.Fprintln(out, "warning:  ", warning)
	}
}

// registrationLine is a registration in one line, with the flow that is really used.
func registrationLine(s oauth.Settings) string {
	return fmt.Sprintf("%s at %s, client %s, flow %s", s.Pattern, providerName(s), s.ClientID, s.EffectiveFlow())
}

// providerName is the provider's name, or the host of an unknown one.
func providerName(s oauth.Settings) string {
	u, err := url.Parse(s.TokenURL)
	if known := preset.Of(s); known.Key != "other" || err != nil {
		return known.Name
	}
	return u.Host
}

// printNext says what to do now.
func printNext(out io.Writer, o *app.Orbit, done proxyhost.Applied) {
	if len(done.Registrations) == 0 {
		return
	}
	first := done.Registrations[0]
	mailbox := "MAILBOX"
	if !first.CatchAll() {
		mailbox = first.Pattern
	}
	steps := []string{"Do what the provider wants; every step with your own ids: orbit email-oauth2-proxy show " + quoted(first.Pattern) + " --steps"}
	if first.EffectiveFlow() == oauth.AuthorizationCode {
		redirect := first.RedirectURI
		if redirect == "" {
			redirect = o.OAuth.RedirectURI()
		}
		steps = append(steps, "Register this redirect URI there, exactly: "+redirect)
	}
	steps = append(steps, "Register the mailbox as a credential (Settings > Credentials) and use it in an account"+through(done.Listeners)+".",
		"Authorise the mailbox: orbit email-oauth2-proxy authorize "+mailbox)
	fmt.Fprintln(out, "\nNext:")
	for i, step := range steps {
		fmt.Fprintf(out, "  %d. %s\n", i+1, step)
	}
}

// through names the ports that accounts use.
func through(listeners []proxyhost.Listener) string {
	var ports []string
	for _, l := range listeners {
		ports = append(ports, l.Local()+" ("+strings.ToUpper(string(l.Protocol))+")")
	}
	if len(ports) == 0 {
		return ""
	}
	return " through " + strings.Join(ports, " or ")
}

// quoted protects what a shell would read differently.
func quoted(word string) string {
	if strings.ContainsAny(word, " '\"\\$&;|<>()*?[]#~`!") {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}
