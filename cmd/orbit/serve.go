package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"

	"github.com/spf13/cobra"

	"orbit/internal/app"
	"orbit/internal/config"
)

func newServe() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Run Orbit", Args: exactly(),
		Long: "Run Orbit: the pages, the API, and everything that goes on in the background.\n\n" +
			"Without ORBIT_DATABASE_URL it starts a private PostgreSQL in the data directory.\n\n" + environmentHelp(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load()
			if err != nil {
				return err
			}
			return serve(cmd.Context(), c, cmd.OutOrStdout())
		},
	}
}

// serve runs Orbit until ctx ends.
func serve(ctx context.Context, c config.Config, out io.Writer) error {
	log := newLog(c, os.Stderr)
	slog.SetDefault(log) // the API and libraries log where everything else does
	for _, warning := range c.Warnings {
		log.Warn("configuration", "warning", warning)
	}
	listener, err := app.Listen(ctx, c.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	orbit, err := app.Start(ctx, c, log)
	if err != nil {
		return err
	}
	defer orbit.Close()
	if err := welcome(ctx, orbit, listener, out); err != nil {
		return err
	}
	return orbit.Serve(ctx, listener)
}

// welcome says where Orbit is, and on the first start how to go on.
func welcome(ctx context.Context, orbit *app.Orbit, listener net.Listener, out io.Writer) error {
	sayNewKey(orbit, out)
	fmt.Fprintf(out, "Orbit is running at %s (listening on %s)\n", orbit.Config.BaseURL, listener.Addr())
	first, err := orbit.FirstAdministrator(ctx)
	if err != nil {
		return err
	}
	if first.Created {
		fmt.Fprintf(out, "The administrator %s was created from ORBIT_ADMIN_USERNAME and ORBIT_ADMIN_PASSWORD.\n", orbit.Config.AdminUsername)
	}
	if first.SetupCode != "" {
		fmt.Fprintf(out, "\nThere is no administrator yet. Create the first one at\n\n    %s\n\nor on this machine with: orbit user add NAME --role administrator\n", first.SetupURL)
	}
	return nil
}

// sayNewKey says once where the key file is: when it was made just now.
func sayNewKey(orbit *app.Orbit, out io.Writer) {
	if orbit.NewKeyFile {
		fmt.Fprintf(out, "The key that seals every secret was created in %s.\nKeep a copy of this file elsewhere: without it no stored secret can be read again.\n\n", orbit.Config.KeysetFile)
	}
}
