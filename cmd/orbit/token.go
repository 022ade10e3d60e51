package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"orbit/internal/app"
	"orbit/internal/identity"
)

func newToken() *cobra.Command {
	return group("token", "Manage the API tokens of programs", newTokenCreate(), newTokenList(), newTokenRevoke())
}

func newTokenCreate() *cobra.Command {
	role := roleFlag(identity.Operator)
	var days countFlag
	cmd := &cobra.Command{
		Use: "create NAME", Short: "Create an API token and print it", Args: exactly("NAME"),
		Long:    "Create an API token. It is printed alone on standard output, once; only its hash is kept.",
		Example: "  ORBIT_TOKEN=$(orbit token create deploy --role administrator)",
		RunE: func(cmd *cobra.Command, args []string) error {
			token := identity.Token{Name: args[0], Role: identity.Role(role)}
			if days > 0 {
				end := time.Now().AddDate(0, 0, int(days))
				token.ExpiresAt = &end
			}
			return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error {
				_, text, err := o.Identity.CreateToken(ctx, token)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), text.Reveal())
				return err
			})
		},
	}
	cmd.Flags().Var(&role, "role", roleNames())
	cmd.Flags().Var(&days, "days", "days until it expires; 0: never")
	return cmd
}

func newTokenList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the API tokens", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error {
				tokens, err := o.Identity.Tokens(ctx)
				if err != nil {
					return err
				}
				rows := make([]tokenRow, len(tokens))
				for i, t := range tokens {
					rows[i] = tokenRow{t.ID, t.Name, string(t.Role), t.CreatedBy, t.CreatedAt, t.LastUsedAt, t.ExpiresAt}
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), rows)
				}
				return printTable(cmd.OutOrStdout(), "ID\tNAME\tROLE\tLAST USED\tEXPIRES", len(rows), func(i int) []any {
					return []any{rows[i].ID, rows[i].Name, rows[i].Role, moment(rows[i].LastUsedAt), moment(rows[i].ExpiresAt)}
				})
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

type tokenRow struct {
	ID         int64      `json:"id"`
	Name       string     `json:"name"`
	Role       string     `json:"role"`
	CreatedBy  string     `json:"created_by"`
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
}

func moment(at *time.Time) string {
	if at == nil {
		return "never"
	}
	return at.UTC().Format(time.RFC3339)
}

func newTokenRevoke() *cobra.Command {
	return &cobra.Command{
		Use: "revoke NAME", Short: "Revoke an API token at once", Args: exactly("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error {
				tokens, err := o.Identity.Tokens(ctx)
				if err != nil {
					return err
				}
				for _, t := range tokens {
					if t.Name == args[0] {
						return o.Identity.RevokeToken(ctx, t.ID)
					}
				}
				return fmt.Errorf("there is no API token %s; see: orbit token list", args[0])
			})
		},
	}
}
