package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"orbit/internal/account"
	"orbit/internal/app"
	"orbit/internal/problem"
)

func newIMAP() *cobra.Command {
	return group("imap", "Test, check and list IMAP/POP3 accounts", newIMAPTest(), newIMAPCheck(), newIMAPList())
}

func newIMAPTest() *cobra.Command {
	var asJSON, verbose bool
	cmd := &cobra.Command{
		Use: "test NAME", Short: "Open a mailbox and show each step", Args: exactly("NAME"),
		Long: "Sign in at the server of an IMAP or POP3 account, open the mailbox and show each step, as Test configuration does\n" +
			"in the browser. Nothing in the mailbox changes. Exit status 1 when it did not open.",
		Example: "  orbit imap test \"Office365 inbox\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withMailbox(cmd, args[0], func(ctx context.Context, o *app.Orbit, found account.Mailbox) error {
				out := cmd.OutOrStdout()
				test, err := o.Accounts.TestMailbox(ctx, account.MailboxTestRequest{AccountID: found.ID}, stepsTo(out, asJSON, verbose))
				if err != nil {
					return err
				}
				return printMailboxTest(out, test, asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON when the test has ended")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "print what was said, secrets excepted")
	return cmd
}

// withMailbox opens Orbit and finds the account that the command line names.
func withMailbox(cmd *cobra.Command, name string, do func(context.Context, *app.Orbit, account.Mailbox) error) error {
	return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error {
		found, err := o.Accounts.FindMailboxByName(ctx, name)
		if errors.Is(err, problem.ErrNotFound) {
			return fmt.Errorf("there is no IMAP/POP3 account %s; see: orbit imap list", name)
		}
		if err != nil {
			return err
		}
		return do(ctx, o, found)
	})
}

// printMailboxTest prints how it ended.
func printMailboxTest(out io.Writer, test account.MailboxTest, asJSON bool) error {
	if asJSON {
		return printTestJSON(out, test, test.State)
	}
	return ending{test: test.Test, failed: "Not opened.", mailbox: test.Mailbox, passed: test.OpenedAt() + "."}.print(out)
}

func newIMAPList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the IMAP/POP3 accounts", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error {
				rows, _, err := o.Accounts.ListMailboxes(ctx, account.MailboxFilter{})
				if err != nil {
					return err
				}
				accounts := make([]account.Mailbox, len(rows))
				for i, row := range rows {
					accounts[i] = row.Mailbox
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), accounts)
				}
				return printTable(cmd.OutOrStdout(), "ID\tNAME\tPROTOCOL\tSERVER\tACTIVE\tAUTOMATIC CHECK", len(accounts), func(i int) []any {
					a := accounts[i]
					return []any{a.ID, a.AccountName, a.Protocol.Name(), a.Server(), yesNo(a.Active), yesNo(a.AutomaticCheck)}
				})
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
