package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"orbit/internal/app"
	"orbit/internal/oauth"
	"orbit/internal/problem"
	"orbit/internal/proxyhost"
)

// logOptions are the flags of logs.
type logOptions struct {
	account, since string
	follow, asJSON bool
	lines          countFlag
}

func newProxyLogs() *cobra.Command {
	o := logOptions{lines: 200}
	cmd := &cobra.Command{
		Use: "logs", Short: "Print what the mail proxy did", Args: exactly(),
		Long: "Print the log of the mail proxy. A mailbox that nobody has authorised yet is named with the address to visit:\n" +
			"\"Please visit the following URL to authenticate account ...\".",
		Example: "  orbit email-oauth2-proxy logs --follow --account alerts@example.com --since 1h",
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter, err := o.filter(time.Now())
			if err != nil {
				return err
			}
			return withOrbit(cmd, func(ctx context.Context, orbit *app.Orbit) error {
				if err := promptMissing(ctx, orbit, filter.Account); err != nil {
					return err
				}
				if o.follow {
					return followLog(ctx, cmd.OutOrStdout(), cmd.ErrOrStderr(), orbit, filter, o.asJSON)
				}
				events, err := orbit.Proxies.Events(ctx, filter)
				for _, e := range events {
					printEvent(cmd.OutOrStdout(), e, o.asJSON)
				}
				return err
			})
		},
	}
	cmd.Flags().StringVar(&o.account, "account", "", "only this mailbox")
	cmd.Flags().StringVar(&o.since, "since", "", "only what happened since: 10m, 2h, 3d, 2026-11-23 or 2026-11-23T15:04:05Z")
	cmd.Flags().BoolVarP(&o.follow, "follow", "f", false, "go on as it happens, until Ctrl C")
	cmd.Flags().VarP(&o.lines, "lines", "n", "how many lines at most")
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "print JSON, one line an event")
	return cmd
}

func (o logOptions) filter(now time.Time) (proxyhost.EventFilter, error) {
	f := proxyhost.EventFilter{Account: oauth.Normal(o.account), Limit: int(o.lines)}
	if o.since == "" {
		return f, nil
	}
	var err error
	f.Since, err = sinceWhen(o.since, now)
	return f, err
}

// sinceWhen reads a duration before now, a day, or a moment.
func sinceWhen(text string, now time.Time) (time.Time, error) {
	if days, found := strings.CutSuffix(text, "d"); found {
		var n int
		if _, err := fmt.Sscanf(days, "%d", &n); err == nil && n >= 0 && fmt.Sprint(n) == days {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return at, nil
		}
	}
	return time.Time{}, usagef("--since %q is neither a duration (10m, 2h, 3d) nor a time (2026-11-23T15:04:05Z)", text)
}

// followLog prints until ctx ends. That the database is away for a moment ends nothing.
func followLog(ctx context.Context, out, errs io.Writer, o *app.Orbit, f proxyhost.EventFilter, asJSON bool) error {
	away := false
	for e, err := range o.Proxies.Follow(ctx, f) {
		if err != nil && !away {
			fmt.Fprintf(errs, "The database does not answer (%v). The log goes on as soon as it does.\n", err)
		}
		if away = err != nil; !away {
			printEvent(out, e, asJSON)
		}
	}
	return nil
}

func printEvent(out io.Writer, e proxyhost.Event, asJSON bool) {
	if asJSON {
		_ = json.NewEncoder(out).Encode(e)
		return
	}
	level := ""
	if e.Level != proxyhost.Info {
		level = strings.ToUpper(string(e.Level)) + " "
	}
	fmt.Fprintf(out, "%s %s%s\n", e.At.Local().Format("2006-01-02 15:04:05"), level, e.Text)
}

// promptMissing lets the log say how to authorise the registered credentials that nobody has authorised, also when no
// mail program has tried them yet.
func promptMissing(ctx context.Context, o *app.Orbit, only string) error {
	credentials, err := o.Credentials.List(ctx)
	if err != nil {
		return err
	}
	for _, c := range credentials {
		address := oauth.Normal(c.Username)
		if _, domain, _ := strings.Cut(address, "@"); domain == "" || only != "" && only != address {
			continue
		}
		needed, err := needsPerson(ctx, o, address)
		if err != nil {
			return err
		}
		if !needed {
			continue
		}
		if err := o.Proxies.Prompt(ctx, address); err != nil {
			return err
		}
	}
	return nil
}

// needsPerson reports whether somebody has to authorise a mailbox before it has a token.
func needsPerson(ctx context.Context, o *app.Orbit, address string) (bool, error) {
	r, err := o.OAuth.Lookup(ctx, address)
	if errors.Is(err, problem.ErrNotFound) {
		return false, nil
	}
	if err != nil || !r.EffectiveFlow().NeedsPerson() {
		return false, err
	}
	g, err := o.OAuth.Grant(ctx, address)
	if errors.Is(err, problem.ErrNotFound) {
		return true, nil
	}
	return g.State == oauth.None || g.FailedBecause == oauth.GrantFailed, err
}
