package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"orbit/internal/app"
	"orbit/internal/config"
	"orbit/internal/sandbox"
)

func newDemo() *cobra.Command {
	return &cobra.Command{
		Use: "demo", Short: "Run Orbit with a small mail provider beside it, to try it out", Args: exactly(),
		Long: "Run Orbit with a small mail provider beside it, to try it out: an SMTP account that works at once, a page that\n" +
			"shows the mail, and an OAuth 2.0 provider with SMTP, IMAP and POP3 servers that take only its tokens.\n\n" +
			"Everything listens on this machine and nothing is sent anywhere. The demo has a data directory of its own, that of\n" +
			"`orbit serve` with -demo behind it, and its own PostgreSQL in it; remove the directory to begin anew.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := demoConfig(os.Environ())
			if err != nil {
				return err
			}
			return demo(cmd.Context(), c, app.DemoPorts(), cmd.OutOrStdout())
		},
	}
}

// demoConfig is the configuration of the demo: that of serve, but never its database and its keys.
func demoConfig(environ []string) (config.Config, error) {
	environ = slices.DeleteFunc(slices.Clone(environ), func(line string) bool {
		name, _, _ := strings.Cut(line, "=")
		return name == "ORBIT_DATABASE_URL" || name == "ORBIT_DATABASE_URL_FILE" || name == "ORBIT_KEYSET_FILE"
	})
	c, err := config.Load(environ)
	if err != nil {
		return config.Config{}, &usageError{err.Error()}
	}
	if dir := c.DataDir; !strings.HasSuffix(dir, "-demo") { // of a shell that has read demo.env
		environ = append(environ, "ORBIT_DATA_DIR="+dir+"-demo")
	}
	return config.Load(environ)
}

// demo runs Orbit and the sandbox until ctx ends.
func demo(ctx context.Context, c config.Config, ports sandbox.Ports, out io.Writer) error {
	log := newLog(c, os.Stderr)
	listener, err := app.Listen(ctx, c.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	d, err := app.OpenDemo(ctx, &c, ports, log)
	if err != nil {
		return err
	}
	defer d.Sandbox.Close()
	if err := d.TrustDemo(); err != nil {
		return err
	}
	orbit, err := app.Start(ctx, c, log)
	if err != nil {
		return err
	}
	defer orbit.Close()
	if _, err := orbit.FirstAdministrator(ctx); err != nil {
		return err
	}
	if err := d.Seed(ctx, orbit); err != nil {
		return err
	}
	showDemo(out, orbit, d)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return orbit.Serve(ctx, listener) })
	group.Go(func() error { return d.Sandbox.Run(ctx) })
	return group.Wait()
}

// showDemo says where everything is and what to try.
func showDemo(out io.Writer, orbit *app.Orbit, d *app.Demo) {
	s := d.Sandbox
	fmt.Fprintf(out, "Orbit is running at %s\n\n", orbit.Config.BaseURL)
	fmt.Fprintf(out, "    administrator   %s\n", d.Administrator)
	if d.Password != "" {
		fmt.Fprintf(out, "    password        %s (unless you changed it)\n", d.Password)
	}
	fmt.Fprintf(out, "\nIts mail provider is a sandbox on this machine; nothing is sent anywhere.\n\n")
	fmt.Fprintf(out, "    mail            %s\n", s.MailURL)
	for i, m := range s.Identity.Mailboxes() {
		fmt.Fprintf(out, "    %-15s %s\n", map[bool]string{true: "mailboxes"}[i == 0], m.Address)
	}
	fmt.Fprintf(out, "\nTest the account \"Demo mailbox\" in Settings > Notifications > SMTP Configuration, and \"Demo inbox\" in IMAP/POP3 Configuration.\n")
	fmt.Fprintf(out, "\nOther servers of the sandbox take only OAuth 2.0. To use them through Orbit's proxy, in another terminal:\n\n")
	fmt.Fprintf(out, "    . %s\n", d.EnvFile)
	showRegister(out, d.RegisterArguments(), s.Identity.Mailboxes()[0].Address)
	fmt.Fprintf(out, "\nAnother mailbox, for which nobody has to consent (client credentials):\n\n")
	showRegister(out, d.AppOnlyArguments(), d.AppOnlyMailbox())
	fmt.Fprintf(out, "\nThe same mailbox by a device code, by a certificate instead of the secret, and by a service account as Google has them:\n")
	for _, arguments := range [][][]string{d.DeviceArguments(), d.CertificateArguments(), d.ServiceAccountArguments()} {
		fmt.Fprintln(out)
		showRegister(out, arguments, d.AppOnlyMailbox())
	}
	fmt.Fprintln(out)
}

// showRegister prints the commands that register a client and authorise a mailbox with it.
func showRegister(out io.Writer, arguments [][]string, mailbox string) {
	fmt.Fprintf(out, "    %s email-oauth2-proxy register", os.Args[0])
	for _, argument := range arguments {
		fmt.Fprintf(out, " \\\n        %s", argument[0])
		if len(argument) > 1 {
			fmt.Fprintf(out, " %s", quoted(argument[1]))
		}
	}
	fmt.Fprintf(out, "\n    %s email-oauth2-proxy authorize %s\n", os.Args[0], mailbox)
}
