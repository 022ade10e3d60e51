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

func newSMTP() *cobra.Command {
	return group("smtp", "Test and list SMTP accounts", newSMTPTest(), newSMTPList())
}

func newSMTPTest() *cobra.Command {
	var to, subject, message string
	var asJSON, verbose bool
	cmd := &cobra.Command{
		Use: "test NAME --to ADDRESS", Short: "Send a test message and show each step", Args: exactly("NAME"),
		Long: "Send a test message through an SMTP account and show each step, as Test configuration does in the browser.\n" +
			"Exit status 1 when the message was not accepted.",
		Example: "  orbit smtp test Office365 --to alice@example.com",
		RunE: func(cmd *cobra.Command, args []string) error {
			if to == "" {
				return usagef("--to is missing: the address that receives the test message\nUsage: %s", cmd.UseLine())
			}
			return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error {
				found, err := o.Accounts.FindSMTPByName(ctx, args[0])
				if errors.Is(err, problem.ErrNotFound) {
					return fmt.Errorf("there is no SMTP account %s; see: orbit smtp list", args[0])
				}
				if err != nil {
					return err
				}
				out := cmd.OutOrStdout()
				request := account.SMTPTestRequest{AccountID: found.ID, To: to, Subject: subject, Message: message}
				test, err := o.Accounts.TestSMTP(ctx, request, stepsTo(out, asJSON, verbose))
				if err != nil {
					return misused(err)
				}
				return printSMTPTest(out, test, asJSON)
			})
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "address that receives the test message")
	cmd.Flags().StringVar(&subject, "subject", account.TestSubject, "subject")
	cmd.Flags().StringVar(&message, "message", account.TestMessage, "text")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON when the test has ended")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "print what was said, secrets excepted")
	return cmd
}

// printSMTPTest prints how it ended.
func printSMTPTest(out io.Writer, test account.SMTPTest, asJSON bool) error {
	if asJSON {
		return printTestJSON(out, test, test.State)
	}
	return ending{
		test: test.Test, failed: "Not sent.", mailbox: "MAILBOX",
		passed: fmt.Sprintf("Sent to %s. %s", test.Recipient, test.AcceptedBy()),
	}.print(out)
}

func newSMTPList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the SMTP accounts", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error {
				rows, _, err := o.Accounts.ListSMTP(ctx, account.SMTPFilter{})
				if err != nil {
					return err
				}
				accounts := make([]account.SMTP, len(rows))
				for i, row := range rows {
					accounts[i] = row.SMTP
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), accounts)
				}
				return printTable(cmd.OutOrStdout(), "ID\tNAME\tSENDER\tSERVER\tACTIVE\tDEFAULT", len(accounts), func(i int) []any {
					a := accounts[i]
					return []any{a.ID, a.AccountName, a.SenderEmail, a.Address(), yesNo(a.Active), yesNo(a.DefaultAccount)}
				})
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
