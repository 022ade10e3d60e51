package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"orbit/internal/app"
	"orbit/internal/notify"
)

func newEvent() *cobra.Command {
	return group("event", "Tell that something happened, or ask who would be told", newEventPost(), newEventSimulate())
}

// eventFlags are what post and simulate say of an event besides its type.
type eventFlags struct {
	data, file string
	access     []string
	asJSON     bool
}

func (f *eventFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.data, "data", "", "the fields of the type, as a JSON object")
	cmd.Flags().StringVar(&f.file, "file", "", "a file with that object; -: standard input")
	cmd.Flags().StringSliceVar(&f.access, "access", nil, "e-mail address or username of somebody who has access to what it is about; may be repeated")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
}

// event reads the event that the command line describes. Data that is no JSON object is wrong usage.
func (f *eventFlags) event(in io.Reader, kind string) (notify.Event, error) {
	e := notify.Event{Type: kind, Access: f.access}
	if f.data != "" && f.file != "" {
		return e, usagef("give --data or --file, not both")
	}
	raw, from, err := []byte(f.data), "--data", error(nil)
	switch f.file {
	case "":
	case "-":
		from = "standard input"
		raw, err = io.ReadAll(in)
	default:
		from = f.file
		raw, err = os.ReadFile(f.file)
	}
	if err != nil {
		return e, err
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return e, nil
	}
	if err := json.Unmarshal(raw, &e.Data); err != nil {
		return e, usagef("%s is not a JSON object: %v", from, err)
	}
	return e, nil
}

func newEventPost() *cobra.Command {
	var f eventFlags
	var key string
	cmd := &cobra.Command{
		Use: "post TYPE", Short: "Tell that something happened", Args: exactly("TYPE"),
		Long: `Post an event. Whoever the rules under Settings > Notifications name is told of it: what is to be sent is stored when the command ends,
and a server that runs sends it. GET /api/v1/event-types lists the types with their fields.`,
		Example: `  orbit event post password.viewed --data '{"credential": "root@db-1", "responsible": "Ann"}'
  backup 2>&1 | jq -Rs '{host: "db-1", error: .}' | orbit event post backup.failed --file - --key "backup-$(date -I)"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := f.event(cmd.InOrStdin(), args[0])
			if err != nil {
				return err
			}
			e.IdempotencyKey = key
			return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error {
				accepted, err := o.Notify.Post(ctx, e)
				if err != nil {
					return misused(err)
				}
				return printAccepted(cmd.OutOrStdout(), accepted, f.asJSON)
			})
		},
	}
	f.register(cmd)
	cmd.Flags().StringVar(&key, "key", "", "the same key again is the same event: it is told once")
	return cmd
}

func printAccepted(out io.Writer, a notify.Accepted, asJSON bool) error {
	if asJSON {
		return printJSON(out, a)
	}
	text := fmt.Sprintf("Event %d: %s, %s on the way now.", a.ID, counted(a.Notifications, "notification", "notifications"), counted(a.Deliveries, "mail", "mails"))
	if a.Duplicate {
		text = fmt.Sprintf("Event %d was told before, by its key. Nothing is sent again.", a.ID)
	}
	_, err := fmt.Fprintln(out, text)
	return err
}

func newEventSimulate() *cobra.Command {
	var f eventFlags
	cmd := &cobra.Command{
		Use: "simulate TYPE", Short: "Say who would be told of an event, and why", Args: exactly("TYPE"),
		Long:    "Say of each contact and webhook whether it would be told of an event, why or why not, by which account. Nothing is sent.\nWithout data the samples of the type are used.",
		Example: `  orbit event simulate password.viewed --access ann@example.com`,
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := f.event(cmd.InOrStdin(), args[0])
			if err != nil {
				return err
			}
			return withOrbit(cmd, func(ctx context.Context, o *app.Orbit) error {
				told, err := o.Notify.Simulate(ctx, e)
				if err != nil {
					return misused(err)
				}
				return printTold(cmd.OutOrStdout(), told, f.asJSON)
			})
		},
	}
	f.register(cmd)
	return cmd
}

func printTold(out io.Writer, told []notify.Told, asJSON bool) error {
	if asJSON {
		return printJSON(out, append([]notify.Told{}, told...))
	}
	if len(told) == 0 {
		_, err := fmt.Fprintln(out, "Nobody: no rule names this type and somebody to tell.")
		return err
	}
	return printTable(out, "TOLD\tNAME\tADDRESS\tCHANNEL\tRULE\tACCOUNT\tWHY", len(told), func(i int) []any {
		t := told[i]
		why := t.Why
		if t.HeldUntil != nil {
			why = strings.TrimSpace(why + " Held until " + t.HeldUntil.Local().Format(time.DateTime) + ".")
		}
		return []any{yesNo(t.Told), t.Name, orDash(t.Address), t.Channel, t.Rule, orDash(t.AccountName), why}
	})
}
