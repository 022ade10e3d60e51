package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"orbit/internal/account"
	"orbit/internal/app"
	"orbit/internal/inbox"
)

func newIMAPCheck() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "check NAME", Short: "Look for new mail now", Args: exactly("NAME"),
		Long: "Look into the mailbox of an IMAP or POP3 account now, store what is new, and say what was found, as Check now does in\n" +
			"the browser. Where a server runs that watches the mailbox, it does the work. Exit status 1 when the mailbox could not be read.",
		Example: "  orbit imap check \"Office365 inbox\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withMailbox(cmd, args[0], func(ctx context.Context, o *app.Orbit, found account.Mailbox) error {
				visit, err := o.Inbox.CheckNow(ctx, found.ID)
				if err != nil {
					return err
				}
				return printVisit(cmd.OutOrStdout(), found, visit, asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// printVisit prints what was found. A visit that failed is exit status 1.
func printVisit(out io.Writer, m account.Mailbox, v inbox.Visit, asJSON bool) error {
	if asJSON {
		if err := printJSON(out, v); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(out, "%s: %d in the mailbox, %d new, %d stored, %d known already, %d deleted on the server (%s)\n",
			m.AccountName, v.Messages, v.Found, v.Stored, v.Known, v.Deleted, v.EndedAt.Sub(v.StartedAt).Round(time.Millisecond))
		if v.TooOld > 0 {
			fmt.Fprintf(out, "%d are older than the account: nobody acts upon them.\n", v.TooOld)
		}
		if v.Failed > 0 {
			fmt.Fprintf(out, "%d could not be read or stored; they are tried again.\n", v.Failed)
		}
		if f := v.Fault; f != nil {
			fmt.Fprintf(out, "\nThe check ended early. %s\nWho must act: %s\nWhat to do:\n  %s\n", f.Cause, f.Who, strings.ReplaceAll(f.Remedy, "\n", "\n  "))
			if f.Reply != "" {
				fmt.Fprintf(out, "The server said: %s\n", f.Reply)
			}
		}
	}
	if v.Fault != nil {
		return &quietError{}
	}
	return nil
}
