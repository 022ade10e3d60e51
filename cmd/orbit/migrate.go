package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"orbit/internal/app"
)

func newMigrate() *cobra.Command {
	return &cobra.Command{
		Use: "migrate", Short: "Bring the database up to date and stop", Args: exactly(),
		Long: "Bring the database up to date and stop. serve does the same when it starts; several processes may do it at once.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withOrbit(cmd, func(context.Context, *app.Orbit) error { // attaching migrates
				_, err := fmt.Fprintln(cmd.OutOrStdout(), "The database is up to date.")
				return err
			})
		},
	}
}
