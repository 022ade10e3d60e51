package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"orbit/internal/app"
	"orbit/internal/oauth"
	"orbit/internal/oauth/plan"
	"orbit/internal/problem"
	"orbit/internal/proxyhost"
)

// maxConfig bounds a configuration; real ones have a few kilobytes.
const maxConfig = 4 << 20

func newProxyImport() *cobra.Command {
	var dryRun, force, asJSON bool
	var caFile, pin string
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Take over a configuration of email-oauth2-proxy", Args: exactly("FILE"),
		Long: "Read an emailproxy.config (- for standard input), show each correction, and create its registrations and listeners:\n" +
			"all of them or none. With --dry-run nothing is stored. Cached tokens are not taken over; authorise each mailbox once.",
		Example: "  orbit email-oauth2-proxy import emailproxy.config --dry-run",
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := readConfig(cmd, args[0])
			if err != nil {
				return err
			}
			return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error {
				p := plan.Parse(text, plan.Options{ReadFile: beside(args[0]), RedirectURI: o.OAuth.RedirectURI()})
				if err := p.Trust(caFile, pin, plan.Options{ReadFile: os.ReadFile}); err != nil {
					return wrongRegister(err)
				}
				p.Force = force
				if dryRun || len(p.Problems) > 0 {
					return showPlan(ctx, cmd.OutOrStdout(), o, p, asJSON)
				}
				return apply(ctx, cmd, o, p, asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "show what would be created and store nothing")
	cmd.Flags().BoolVar(&force, "force", false, "replace what is registered without asking")
	cmd.Flags().StringVar(&caFile, "ca-file", "", "file with the authorities of the mail servers' certificates, as SSL_CERT_FILE for email-oauth2-proxy")
	cmd.Flags().StringVar(&pin, "pin-sha256", "", "SHA-256 fingerprint of the mail servers' certificate, instead of any authority")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func readConfig(cmd *cobra.Command, name string) (string, error) {
	in := cmd.InOrStdin()
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return "", err
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, maxConfig))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", name, err)
	}
	return string(text), nil
}

// beside reads files that a configuration names, from its own folder unless their path is whole.
func beside(config string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(config), name)
		}
		return os.ReadFile(name)
	}
}

// showPlan shows what would be created, and what is there already.
func showPlan(ctx context.Context, out io.Writer, o *app.Orbit, p plan.Plan, asJSON bool) error {
	if len(p.Problems) == 0 {
		err := o.Proxies.Preview(ctx, p)
		var there *problem.Confirm
		if errors.As(err, &there) {
			p.Notes = append(p.Notes, oauth.Note{Where: "--force", Why: there.Text})
		} else if err != nil {
			return err
		}
	}
	return printPlan(out, p, asJSON)
}

// printPlan shows what would be created. A plan with problems is exit status 1.
func printPlan(out io.Writer, p plan.Plan, asJSON bool) error {
	if asJSON {
		if err := printJSON(out, p); err != nil {
			return err
		}
		if len(p.Problems) > 0 {
			return &quietError{}
		}
		return nil
	}
	printNotes(out, p.Notes)
	for _, wrong := range p.Problems {
		fmt.Fprintf(out, "problem    %s: %s\n", wrong.Name, wrong.Text)
	}
	if len(p.Problems) > 0 {
		fmt.Fprintln(out, "\nNothing was stored. Correct what is called a problem and try again.")
		return &quietError{}
	}
	fmt.Fprintln(out, "Would be created:")
	for _, r := range p.Registrations {
		fmt.Fprintln(out, "  registration", registrationLine(r.Settings))
	}
	for _, l := range p.Listeners {
		fmt.Fprintf(out, "  listener     %s at %s:%d for %s:%d\n", l.Name(), l.LocalAddress, l.LocalPort, l.ServerAddress, l.ServerPort)
	}
	again := "without --dry-run"
	if slices.ContainsFunc(p.Notes, func(n oauth.Note) bool { return n.Where == "--force" }) {
		again += " and with --force"
	}
	fmt.Fprintf(out, "\nNothing was stored. Run it again %s.\n", again)
	return nil
}

func newProxyExport() *cobra.Command {
	var secrets bool
	cmd := &cobra.Command{
		Use: "export [FILE]", Short: "Write a configuration that email-oauth2-proxy reads", Args: cobra.MaximumNArgs(1),
		Long: "Write registrations and listeners as an emailproxy.config, to FILE or standard output. Client secrets are left out\n" +
			"unless --with-secrets asks for them, which the audit trail records. Tokens are never exported.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error {
				text, notes, err := export(ctx, o, secrets)
				if err != nil {
					return err
				}
				for _, n := range notes {
					fmt.Fprintln(cmd.ErrOrStderr(), "note:", n)
				}
				if len(args) == 0 || args[0] == "-" {
					_, err = io.WriteString(cmd.OutOrStdout(), text)
					return err
				}
				return os.WriteFile(args[0], []byte(text), 0o600)
			})
		},
	}
	cmd.Flags().BoolVar(&secrets, "with-secrets", false, "write client secrets in clear")
	return cmd
}

func export(ctx context.Context, o *app.Orbit, secrets bool) (string, []oauth.Note, error) {
	stored, err := o.OAuth.List(ctx)
	if err != nil {
		return "", nil, err
	}
	listeners, err := o.Proxies.List(ctx)
	if err != nil {
		return "", nil, err
	}
	registrations := make([]plan.Registration, len(stored))
	for i, r := range stored {
		registrations[i].Settings = r.Settings
		if !secrets {
			continue
		}
		if registrations[i].Secret, err = o.OAuth.ExportSecret(ctx, r.ID); err != nil {
			return "", nil, err
		}
	}
	text, notes := plan.Export(registrations, plans(listeners), o.OAuth.RedirectURI())
	return text, notes, nil
}

func plans(stored []proxyhost.Listener) []plan.Listener {
	all := make([]plan.Listener, len(stored))
	for i, l := range stored {
		all[i] = l.Plan()
	}
	return all
}
