package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"orbit/internal/app"
)

func newDoctor() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "doctor", Short: "Check what Orbit needs, and say what to do", Args: exactly(),
		Long: "Check the configuration, the database, the keys, the accounts and the audit trail. Exit status 1 when something needs attention.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error {
				findings := o.Examine(ctx)
				if asJSON {
					if err := printJSON(cmd.OutOrStdout(), findings); err != nil {
						return err
					}
				} else {
					for _, f := range findings {
						fmt.Fprintln(cmd.OutOrStdout(), f)
					}
				}
				for _, f := range findings {
					if !f.Good {
						return &quietError{}
					}
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
