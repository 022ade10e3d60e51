package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"orbit/internal/account"
	"orbit/internal/mail/ladder"
)

// stepsTo prints the steps of a test as they end, unless JSON follows.
func stepsTo(out io.Writer, asJSON, verbose bool) ladder.Observer {
	if asJSON {
		return nil
	}
	return func(s ladder.Step) { printStep(out, s, verbose) }
}

// printStep prints a step when it has ended.
func printStep(out io.Writer, s ladder.Step, verbose bool) {
	if !s.Done {
		return
	}
	mark := "ok"
	if s.Fault != nil {
		mark = "FAILED"
	}
	fmt.Fprintf(out, "%-7s %-28s %7s  %s\n", mark, s.Title, s.Duration.Round(time.Millisecond), s.Result)
	for _, warning := range s.Warnings {
		fmt.Fprintf(out, "        warning: %s\n", warning)
	}
	if !verbose {
		return
	}
	for _, line := range s.Transcript {
		fmt.Fprintf(out, "        %-6s %s\n", line.From, line.Text)
	}
}

// ending is how a test ended, in the words of its kind.
type ending struct {
	test    account.Test
	passed  string // the sentence after success
	failed  string // what did not happen: "Not sent."
	mailbox string // what is to be authorised, when a person must
}

// print prints it. A test that failed is exit status 1.
func (e ending) print(out io.Writer) error {
	fault := e.test.Fault()
	if fault == nil && e.test.State != account.TestFailed {
		fmt.Fprintf(out, "\n%s\n", e.passed)
		return nil
	}
	if fault != nil {
		fmt.Fprintf(out, "\n%s %s\nWho must act: %s\nWhat to do:\n  %s\n", e.failed, fault.Cause, fault.Who, strings.ReplaceAll(fault.Remedy, "\n", "\n  "))
		if fault.Authorise {
			fmt.Fprintf(out, "In a terminal: orbit email-oauth2-proxy authorize %s\n", e.mailbox)
		}
		if fault.Reply != "" {
			fmt.Fprintf(out, "The server said: %s\n", fault.Reply)
		}
	}
	return &quietError{}
}

// printTestJSON prints the whole test for programs. A test that failed is exit status 1 here, too.
func printTestJSON(out io.Writer, test any, state account.TestState) error {
	if err := printJSON(out, test); err != nil {
		return err
	}
	if state == account.TestFailed {
		return &quietError{}
	}
	return nil
}
