package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"orbit/internal/app"
	"orbit/internal/identity"
	"orbit/internal/vault"
)

func newUser() *cobra.Command {
	return group("user", "Manage the people who may sign in", newUserAdd(), newUserList(), newUserPassword())
}

func newUserAdd() *cobra.Command {
	var email, fullName string
	role := roleFlag(identity.Member)
	cmd := &cobra.Command{
		Use: "add NAME", Short: "Add a user", Args: exactly("NAME"),
		Long: "Add a user. The password is asked for, or read from standard input when that is no terminal.",
		Example: `  orbit user add alice --role administrator --email alice@example.com
  pass show orbit/alice | orbit user add alice --role operator`,
		RunE: func(cmd *cobra.Command, args []string) error {
			password, err := askPassword(cmd.InOrStdin(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error {
				user, err := o.Identity.CreateUser(ctx, identity.User{
					Username: args[0], Role: identity.Role(role), Email: email, FullName: fullName, Active: true, Language: "en", TimeZone: "UTC",
				}, password)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s (%s) can sign in at %s\n", user.Username, user.Role, o.Config.BaseURL)
				return err
			})
		},
	}
	cmd.Flags().Var(&role, "role", roleNames())
	cmd.Flags().StringVar(&email, "email", "", "e-mail address")
	cmd.Flags().StringVar(&fullName, "full-name", "", "name that others see")
	return cmd
}

func newUserList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the users", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error {
				users, _, err := o.Identity.Users(ctx, identity.UserFilter{})
				if err != nil {
					return err
				}
				return printUsers(cmd.OutOrStdout(), users, asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printUsers(out io.Writer, users []identity.User, asJSON bool) error {
	rows := make([]userRow, len(users))
	for i, u := range users {
		rows[i] = userRow{ID: u.ID, Username: u.Username, Email: u.Email, Role: string(u.Role), Active: u.Active}
	}
	if asJSON {
		return printJSON(out, rows)
	}
	return printTable(out, "ID\tUSERNAME\tROLE\tACTIVE\tE-MAIL", len(rows), func(i int) []any {
		return []any{rows[i].ID, rows[i].Username, rows[i].Role, yesNo(rows[i].Active), rows[i].Email}
	})
}

type userRow struct {
	ID       int64  `json:"id"`
	Username string `json:"username"`
	Email    string `json:"email"`
	Role     string `json:"role"`
	Active   bool   `json:"active"`
}

func newUserPassword() *cobra.Command {
	return &cobra.Command{
		Use: "password NAME", Short: "Set a user's password and end their sessions", Args: exactly("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			password, err := askPassword(cmd.InOrStdin(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error {
				users, _, err := o.Identity.Users(ctx, identity.UserFilter{})
				if err != nil {
					return err
				}
				for _, u := range users {
					if strings.EqualFold(u.Username, args[0]) {
						return o.Identity.SetPassword(ctx, u.ID, password)
					}
				}
				return fmt.Errorf("there is no user %s; see: orbit user list", args[0])
			})
		},
	}
}

// askPassword asks twice at a terminal, and takes the first line of anything else.
func askPassword(in io.Reader, prompt io.Writer) (vault.Secret, error) {
	file, isFile := in.(*os.File)
	if !isFile || !term.IsTerminal(int(file.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(in, 4096)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return vault.Secret{}, fmt.Errorf("read the password: %w", err)
		}
		return vault.NewSecret(strings.TrimRight(line, "\r\n")), nil
	}
	fmt.Fprint(prompt, "Password: ")
	first, err := term.ReadPassword(int(file.Fd()))
	if err != nil {
		return vault.Secret{}, fmt.Errorf("read the password: %w", err)
	}
	fmt.Fprint(prompt, "\nAgain: ")
	second, err := term.ReadPassword(int(file.Fd()))
	fmt.Fprintln(prompt)
	if err != nil {
		return vault.Secret{}, fmt.Errorf("read the password: %w", err)
	}
	if string(first) != string(second) {
		return vault.Secret{}, usagef("the two passwords differ; nothing was changed")
	}
	return vault.NewSecret(string(first)), nil
}
