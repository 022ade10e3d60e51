package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"orbit/internal/app"
	"orbit/internal/mail/proxy"
	"orbit/internal/oauth"
	"orbit/internal/proxyhost"
)

const (
	followTime = 5 * time.Second // a running Orbit follows within one second
	followLook = 100 * time.Millisecond
)

func newProxyStart() *cobra.Command {
	return wanting("start", "Start listeners", proxy.Running, func(o *app.Orbit) wantsOf { return o.Proxies.Start })
}

func newProxyStop() *cobra.Command {
	return wanting("stop", "Stop listeners; their sessions end", proxy.Idle, func(o *app.Orbit) wantsOf { return o.Proxies.Stop })
}

func newProxyRestart() *cobra.Command {
	return wanting("restart", "Restart listeners; their sessions end", proxy.Running, func(o *app.Orbit) wantsOf { return o.Proxies.Restart })
}

type wantsOf func(ctx context.Context, ids ...int64) error

// wanting is a command that wants something of listeners, and waits until the running Orbit has followed.
func wanting(use, short string, state proxy.State, which func(*app.Orbit) wantsOf) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: use + " [LISTENER...]", Short: short,
		Long: short + ", by name or id; all of them without any. Exit status 1 when one of them does not follow.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error {
				ids, err := findListeners(ctx, o, args)
				if err != nil {
					return err
				}
				if err := which(o)(ctx, ids...); err != nil {
					return err
				}
				rows, followed, err := await(ctx, o, ids, state)
				if err != nil {
					return err
				}
				if err := printListeners(cmd.OutOrStdout(), rows, asJSON); err != nil || followed {
					return err
				}
				return &quietError{}
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// await looks until the listeners are in a state, or no longer.
func await(ctx context.Context, o *app.Orbit, ids []int64, state proxy.State) ([]proxyhost.Status, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, followTime)
	defer cancel()
	look := time.NewTicker(followLook)
	defer look.Stop()
	for {
		all, err := o.Proxies.Statuses(context.WithoutCancel(ctx))
		if err != nil {
			return nil, false, err
		}
		rows := slices.DeleteFunc(all, func(l proxyhost.Status) bool { return len(ids) > 0 && !slices.Contains(ids, l.ID) })
		followed := !slices.ContainsFunc(rows, func(l proxyhost.Status) bool { return l.State != state })
		if followed {
			return rows, true, nil
		}
		select {
		case <-ctx.Done():
			return rows, false, nil
		case <-look.C:
		}
	}
}

func printListeners(out io.Writer, rows []proxyhost.Status, asJSON bool) error {
	if asJSON {
		return printJSON(out, append([]proxyhost.Status{}, rows...))
	}
	if len(rows) == 0 {
		_, err := fmt.Fprintln(out, "There is no listener yet.")
		return err
	}
	err := printTable(out, "LISTENER\tLOCAL\tSERVER\tSTATE\tSESSIONS\tSIGN-INS\tREFUSED\tUP\tDOWN", len(rows), func(i int) []any {
		l := rows[i]
		state := string(l.State)
		if l.Reason != "" {
			state += " (" + l.Reason + ")"
		}
		return []any{l.Name, l.Local(), l.Server(), state, l.Sessions, l.SignIns, l.Refused, l.Up, l.Down}
	})
	printListenerWarnings(out, rows)
	return err
}

// printListenerWarnings says which listeners work and still deserve a thought.
func printListenerWarnings(out io.Writer, rows []proxyhost.Status) {
	for _, l := range rows {
		for _, text := range l.Warnings {
			fmt.Fprintf(out, "\nwarning: %s: %s\n", l.Name, text)
		}
	}
}

// proxyStatus is what status prints as JSON.
type proxyStatus struct {
	Listeners []proxyhost.Status `json:"listeners"`
	Grants    []oauth.Grant      `json:"grants"`
	Expiring  []string           `json:"expiring"`
}

func newProxyStatus() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "status", Short: "Show listeners, mailboxes and what expires", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error {
				status, err := readStatus(ctx, o)
				if err != nil {
					return err
				}
				out := cmd.OutOrStdout()
				if asJSON {
					return printJSON(out, status)
				}
				if err := printListeners(out, status.Listeners, false); err != nil {
					return err
				}
				fmt.Fprintln(out)
				printGrants(out, status.Grants)
				for _, warning := range status.Expiring {
					fmt.Fprintf(out, "\nwarning: %s\n", warning)
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func readStatus(ctx context.Context, o *app.Orbit) (proxyStatus, error) {
	status := proxyStatus{Listeners: []proxyhost.Status{}, Grants: []oauth.Grant{}, Expiring: []string{}}
	listeners, err := o.Proxies.Statuses(ctx)
	if err != nil {
		return status, err
	}
	grants, err := o.OAuth.Grants(ctx, 0)
	if err != nil {
		return status, err
	}
	ends, err := o.OAuth.Expiring(ctx, time.Now())
	for _, e := range ends {
		status.Expiring = append(status.Expiring, e.Text())
	}
	status.Listeners, status.Grants = append(status.Listeners, listeners...), append(status.Grants, grants...)
	return status, err
}

func printGrants(out io.Writer, grants []oauth.Grant) {
	if len(grants) == 0 {
		fmt.Fprintln(out, "No mailbox is authorised yet.")
		return
	}
	_ = printTable(out, "MAILBOX\tSTATE\tTOKEN ENDS\tACCEPTED BY\tLAST ERROR", len(grants), func(i int) []any {
		g := grants[i]
		cause := "-"
		if g.Fault != nil {
			cause = g.Fault.Cause
		}
		by := g.ProvenBy
		if by == "" {
			by = "-"
		}
		return []any{g.Address, g.State, moment(g.ExpiresAt), by, cause}
	})
	for _, g := range grants {
		if servers, last := g.Approved(); servers != "" {
			fmt.Fprintf(out, "\nThe token of %s also goes to %s; approved by %s at %s.\n", g.Address, servers, cmp.Or(last.ApprovedBy, "nobody known"), moment(&last.ApprovedAt))
		}
	}
}

// indent puts blanks before each line.
func indent(text, blanks string) string {
	return blanks + strings.ReplaceAll(text, "\n", "\n"+blanks)
}
