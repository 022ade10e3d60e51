package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"orbit/internal/app"
	"orbit/internal/credential"
	"orbit/internal/vault"
)

func newKeys() *cobra.Command {
	return group("keys", "Manage the keys that seal every secret", newKeysInit(), newKeysRotate())
}

func newKeysInit() *cobra.Command {
	return &cobra.Command{
		Use: "init", Short: "Create the key file before the first start", Args: exactly(),
		Long: "Create the key file (ORBIT_KEYSET_FILE) before the first start, for example to copy it to several machines.\n" +
			"A file that exists is never changed.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := load()
			if err != nil {
				return err
			}
			created, err := vault.CreateKeyFile(c.KeysetFile)
			if err != nil {
				return err
			}
			said := "exists already and was not changed"
			if created {
				said = "was created; keep a copy of it elsewhere"
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "The key file %s %s.\n", c.KeysetFile, said)
			return err
		},
	}
}

func newKeysRotate() *cobra.Command {
	var keyFile string
	cmd := &cobra.Command{
		Use: "rotate", Short: "Seal every secret with a new key", Args: exactly(),
		Long: "Seal every stored secret with a new key. Running processes take the new key over by themselves.\n" +
			"With --key-file the keys are also sealed by another key file; set ORBIT_KEYSET_FILE to it afterwards.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error {
				if keyFile != "" {
					if err := changeKeyFile(ctx, o, keyFile); err != nil {
						return err
					}
				}
				if err := credential.RotateKeys(ctx, o.Pool, o.Box); err != nil {
					return err
				}
				sealed, err := o.Reseal(ctx)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d stored secrets are sealed with the new key.\n", sealed)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&keyFile, "key-file", "", "also seal the keys by this key file, created when missing")
	return cmd
}

func changeKeyFile(ctx context.Context, o *app.Orbit, keyFile string) error {
	if _, err := vault.CreateKeyFile(keyFile); err != nil {
		return err
	}
	return credential.ChangeKeyFile(ctx, o.Pool, o.Box, keyFile)
}
