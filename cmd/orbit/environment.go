package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/user"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"orbit/internal/app"
	"orbit/internal/audit"
	"orbit/internal/config"
)

// load reads the environment; what is wrong with it is wrong usage.
func load() (config.Config, error) {
	c, err := config.Load(os.Environ())
	if err != nil {
		return config.Config{}, &usageError{err.Error()}
	}
	return c, nil
}

// newLog writes to standard error as ORBIT_LOG_FORMAT and ORBIT_LOG_LEVEL say.
func newLog(c config.Config, errs io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(errs, options))
	}
	return slog.New(slog.NewTextHandler(errs, options))
}

// withOrbit runs do with the services, for a command that is not the server. Everything is done in the name of
// the operating-system user.
func withOrbit(cmd *cobra.Command, do func(context.Context, *app.Orbit) error) error {
	c, err := load()
	if err != nil {
		return err
	}
	c.LogLevel = max(c.LogLevel, slog.LevelError) // a command answers in sentences of its own; its log is for what it can't explain
	ctx := audit.WithActor(cmd.Context(), audit.Actor{Kind: audit.Command, Name: osUser()})
	orbit, err := app.Attach(ctx, c, newLog(c, cmd.ErrOrStderr()))
	if err != nil {
		return err
	}
	defer orbit.Close()
	sayNewKey(orbit, cmd.ErrOrStderr()) // standard output is the command's answer
	defer orbit.Proxies.WriteOut(ctx)
	return do(ctx, orbit)
}

// osUser is who typed the command; behind sudo, who they really are.
func osUser() string {
	if name := os.Getenv("SUDO_USER"); name != "" {
		return name
	}
	if current, err := user.Current(); err == nil {
		return current.Username
	}
	return "unknown"
}

// environmentHelp lists every variable with its default.
func environmentHelp() string { return variablesHelp(config.Help()) }

func variablesHelp(variables []config.Variable) string {
	var out strings.Builder
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	for _, v := range variables {
		fmt.Fprintf(table, "  %s\t%s\t%s\n", v.Name, v.Default, v.Text)
	}
	_ = table.Flush()
	return "Environment:\n" + out.String()
}
