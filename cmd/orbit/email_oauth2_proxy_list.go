package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"orbit/internal/app"
	"orbit/internal/oauth"
	"orbit/internal/oauth/checklist"
	"orbit/internal/problem"
)

// registrationRow is a registration as list and show print it: never with a secret.
type registrationRow struct {
	oauth.Registration
	EffectiveFlow oauth.Flow       `json:"effective_flow"`
	Notes         []oauth.Note     `json:"notes,omitempty"`
	Grants        []oauth.Grant    `json:"grants"`
	Steps         []checklist.Step `json:"steps,omitempty"`
}

func newRegistrationRow(ctx context.Context, o *app.Orbit, r oauth.Registration) (registrationRow, error) {
	grants, err := o.OAuth.Grants(ctx, r.ID)
	if grants == nil {
		grants = []oauth.Grant{}
	}
	return registrationRow{Registration: r, EffectiveFlow: r.EffectiveFlow(), Notes: r.Notes(), Grants: grants}, err
}

func (r registrationRow) active() int {
	n := 0
	for _, g := range r.Grants {
		if g.State == oauth.Active {
			n++
		}
	}
	return n
}

func (r registrationRow) secretEnds() string {
	active, ok := r.Active()
	switch {
	case !ok:
		return "no secret"
	case active.ExpiresAt == nil:
		return "not known"
	}
	return active.ExpiresAt.UTC().Format(time.DateOnly)
}

func newProxyList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "List the registrations", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error {
				stored, err := o.OAuth.List(ctx)
				if err != nil {
					return err
				}
				rows := make([]registrationRow, len(stored))
				for i, r := range stored {
					if rows[i], err = newRegistrationRow(ctx, o, r); err != nil {
						return err
					}
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), rows)
				}
				if err := printRegistrations(cmd.OutOrStdout(), rows); err != nil {
					return err
				}
				listeners, err := o.Proxies.Statuses(ctx)
				printListenerWarnings(cmd.OutOrStdout(), listeners)
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printRegistrations(out io.Writer, rows []registrationRow) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(out, "There is no registration yet. See: orbit email-oauth2-proxy register --help")
		return err
	}
	return printTable(out, "ID\tAPPLIES TO\tPROVIDER\tFLOW\tCLIENT ID\tSECRET ENDS\tACTIVE", len(rows), func(i int) []any {
		r := rows[i]
		return []any{r.ID, r.Pattern, providerName(r.Settings), r.EffectiveFlow, r.ClientID, r.secretEnds(), ofMany(r.active(), len(r.Grants))}
	})
}

func newProxyShow() *cobra.Command {
	var asJSON, steps bool
	var mailbox string
	cmd := &cobra.Command{
		Use: "show REGISTRATION", Short: "Show a registration, its grants and what to do at the provider", Args: exactly("REGISTRATION"),
		Long:    "Show a registration by what it applies to (@, @example.com, alerts@example.com) or by its id.",
		Example: "  orbit email-oauth2-proxy show @ --steps --mailbox alerts@example.com",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error {
				found, err := findRegistration(ctx, o, args[0])
				if err != nil {
					return err
				}
				row, err := newRegistrationRow(ctx, o, found)
				if err != nil {
					return err
				}
				if steps {
					row.Steps = checklist.Of(checklist.In{Registration: found, Mailbox: oauth.Normal(mailbox), RedirectURI: o.OAuth.RedirectURI()})
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), row)
				}
				printRegistration(cmd.OutOrStdout(), o, row)
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&steps, "steps", false, "list what an administrator of the provider does")
	cmd.Flags().StringVar(&mailbox, "mailbox", "", "write the commands of --steps for this mailbox")
	return cmd
}

func printRegistration(out io.Writer, o *app.Orbit, r registrationRow) {
	redirect := r.RedirectURI
	if redirect == "" && r.EffectiveFlow == oauth.AuthorizationCode {
		redirect = o.OAuth.RedirectURI()
	}
	for _, line := range [][2]string{
		{"Applies to", r.Pattern}, {"Provider", providerName(r.Settings)}, {"Tenant", r.Tenant}, {"Flow", string(r.EffectiveFlow)},
		{"Client ID", r.ClientID}, {"Token URL", r.TokenURL}, {"Permission URL", r.PermissionURL}, {"Device URL", r.DeviceURL},
		{"Scope", r.Scope}, {"Resource", r.Resource}, {"Redirect URI", redirect}, {"Listens for it", r.RedirectListenAddress}, {"Secret ends", r.secretEnds()},
	} {
		if line[1] != "" {
			fmt.Fprintf(out, "%-15s %s\n", line[0], line[1])
		}
	}
	for _, n := range r.Notes {
		fmt.Fprintf(out, "\nnote: %s\n", n.Why)
	}
	if len(r.Grants) > 0 {
		fmt.Fprintln(out)
		printGrants(out, r.Grants)
	}
	for i, s := range r.Steps {
		printStepOfList(out, i+1, s)
	}
}

func printStepOfList(out io.Writer, n int, s checklist.Step) {
	fmt.Fprintf(out, "\n%d. %s\n", n, s.Title)
	for _, text := range []string{s.Where, s.Text} {
		if text != "" {
			fmt.Fprintf(out, "   %s\n", text)
		}
	}
	for _, v := range s.Values {
		fmt.Fprintf(out, "   %s: %s\n", v.Label, v.Text)
	}
	if s.Code != "" {
		fmt.Fprintf(out, "\n%s\n", indent(s.Code, "       "))
	}
}

// authorised counts the mailboxes that would lose something.
func authorised(grants []oauth.Grant) int {
	n := 0
	for _, g := range grants {
		if g.State != oauth.None {
			n++
		}
	}
	return n
}

func newProxyRemove() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use: "remove REGISTRATION", Short: "Remove a registration with the permissions it obtained", Args: exactly("REGISTRATION"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error {
				found, err := findRegistration(ctx, o, args[0])
				if err != nil {
					return err
				}
				grants, err := o.OAuth.Grants(ctx, found.ID)
				if err != nil {
					return err
				}
				n := authorised(grants)
				question := fmt.Sprintf("%s authorised %s and would have to do it again.", counted(n, "mailbox has", "mailboxes have"), found.Pattern)
				if n > 0 && !force && !agree(cmd, question+"\nRemove it?") {
					return problem.Refuse("%s Nothing was removed. Use --force to remove it.", question)
				}
				if err := o.OAuth.Remove(ctx, found.ID); err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "Removed %s\n", registrationLine(found.Settings))
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "do not ask")
	return cmd
}
