package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"orbit/internal/account"
	"orbit/internal/app"
	"orbit/internal/connector"
	"orbit/internal/problem"
)

func newConnectorCompare() *cobra.Command {
	var mailbox, asJSON bool
	cmd := &cobra.Command{
		Use: "compare ACCOUNT", Short: "Try every way to an account's server", Args: exactly("ACCOUNT"),
		Long: "Sign in at the server of an SMTP account, or with --mailbox of an IMAP/POP3 account, directly and through every network\n" +
			"connector, and say which ways work and what stands in the way of the others. No mail is sent, no mailbox changed.\n" +
			"Exit status 1 when no way works.",
		Example: "  orbit network-connector compare Office365\n  orbit network-connector compare --mailbox Replies",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error {
				visit, err := visitOf(ctx, o, args[0], mailbox)
				if err != nil {
					return err
				}
				paths, err := o.Connectors.Compare(ctx, visit.To, nil)
				if err != nil {
					return err
				}
				if visit.Own {
					fmt.Fprintf(cmd.ErrOrStderr(), "%s is a listener of this Orbit and is always dialled directly.\n", visit.Server)
				}
				if err := printPaths(cmd.OutOrStdout(), paths, asJSON); err != nil {
					return err
				}
				if len(connector.Working(paths)) == 0 {
					return fmt.Errorf("no way leads to %s, the server of %s", visit.Server, visit.Name)
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&mailbox, "mailbox", false, "ACCOUNT is an IMAP/POP3 account")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, with the steps of each way")
	return cmd
}

// visitOf finds an account of either kind by its name.
func visitOf(ctx context.Context, o *app.Orbit, name string, mailbox bool) (account.Visit, error) {
	if mailbox {
		found, err := o.Accounts.FindMailboxByName(ctx, name)
		if err != nil {
			return account.Visit{}, missing(err, "There is no IMAP/POP3 account %s; see: orbit imap list", name)
		}
		return o.Accounts.VisitMailbox(ctx, found.ID)
	}
	found, err := o.Accounts.FindSMTPByName(ctx, name)
	if errors.Is(err, problem.ErrNotFound) {
		return account.Visit{}, problem.Refuse("There is no SMTP account %s; see: orbit smtp list. For an IMAP/POP3 account say --mailbox.", name)
	}
	if err != nil {
		return account.Visit{}, err
	}
	return o.Accounts.VisitSMTP(ctx, found.ID)
}

func printPaths(out io.Writer, paths []connector.Path, asJSON bool) error {
	if asJSON {
		return printJSON(out, paths)
	}
	return printTable(out, "PATH\tKIND\tRESULT\tTIME\tBECAUSE", len(paths), func(i int) []any {
		p := paths[i]
		name, result, because := p.Name, "works", ""
		if p.ConnectorID == 0 {
			name = "directly"
		}
		if p.Default {
			name += " (default)"
		}
		if !p.Works {
			result, because = "fails", p.Fault.Cause
			if p.FailedAt != "" {
				because = p.FailedAt + ": " + because
			}
		}
		return []any{name, p.Kind.Words(), result, p.Duration.Round(time.Millisecond), because}
	})
}
