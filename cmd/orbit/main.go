// Command orbit is the notification mail centre: the server, and everything an administrator does in a terminal.
//
// One file holds one command. A command reads flags, asks a feature, prints the answer; the features are
// under internal/, put together by internal/app.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // people's time zones, also in a container that has none

	"github.com/spf13/cobra"

	"orbit/internal/app"
)

// version is set by the linker.
var version = "dev"

// Exit statuses, the same for every command.
const (
	exitOK     = 0
	exitFailed = 1 // it was asked rightly and did not work
	exitUsage  = 2 // it was asked wrongly
)

func main() {
	app.Version = version
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run executes one command line and returns the exit status.
func run(ctx context.Context, args []string, out, errs io.Writer) int {
	root := newRoot()
	root.SetArgs(goStyleHelp(args))
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	var usage *usageError
	var quiet *quietError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &quiet):
		return exitFailed
	case errors.As(err, &usage):
		fmt.Fprintf(errs, "orbit: %v\n", err)
		return exitUsage
	default:
		fmt.Fprintf(errs, "orbit: %v\n", err)
		return exitFailed
	}
}

// goStyleHelp lets -help work at every level: the flag parser would read it as -h -e -l -p.
func goStyleHelp(args []string) []string {
	rewritten := make([]string, len(args))
	for i, arg := range args {
		if arg == "-help" {
			arg = "--help"
		}
		rewritten[i] = arg
	}
	return rewritten
}

// usageError says that the command line is wrong: exit status 2.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// quietError says that the command failed and has already said why: exit status 1.
type quietError struct{}

func (*quietError) Error() string { return "failed" }

func newRoot() *cobra.Command {
	root := group("orbit", "Orbit, the notification mail centre",
		newServe(), newDemo(), newMigrate(), newUser(), newToken(), newSMTP(), newIMAP(), newEvent(), newEmailOAuth2Proxy(), newNetworkConnector(), newKeys(), newDoctor(), newVersion(),
	)
	root.Long = `Orbit registers the SMTP and IMAP/POP3 accounts through which internal systems send their
notifications, tests them step by step, and signs in at providers that accept only OAuth 2.0.

Start with: orbit serve`
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%v\nSee: %s --help", err, cmd.CommandPath())
	})
	return root
}

// group is a command that only has commands: alone it prints its help, with an unknown word it says so.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			text := fmt.Sprintf("unknown command %q for %s", args[0], cmd.CommandPath())
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				text += "; did you mean " + strings.Join(near, " or ") + "?"
			}
			return usagef("%s\nSee: %s --help", text, cmd.CommandPath())
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.SuggestionsMinimumDistance = 2
	cmd.AddCommand(commands...)
	return cmd
}

// exactly wants the named arguments and says what is missing in the command's own words.
func exactly(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < len(names) {
			return usagef("%s is missing\nUsage: %s", names[len(args)], cmd.UseLine())
		}
		if len(args) > len(names) {
			return usagef("%q is one argument too many\nUsage: %s", args[len(names)], cmd.UseLine())
		}
		return nil
	}
}
