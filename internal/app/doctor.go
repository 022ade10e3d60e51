package app

import (
	"context"
	"fmt"

	"orbit/internal/audit"
)

// Finding is one thing that was examined.
type Finding struct {
	What   string `json:"what"`
	Good   bool   `json:"good"`
	Result string `json:"result"`           // what was found
	Remedy string `json:"remedy,omitempty"` // what to do when it is not good
}

func (f Finding) String() string {
	mark := "ok  "
	if !f.Good {
		mark = "BAD "
	}
	text := fmt.Sprintf("%s %-18s %s", mark, f.What, f.Result)
	if f.Remedy != "" {
		text += "\n                        " + f.Remedy
	}
	return text
}

// Examine checks what Orbit needs. That the services are open proves configuration, database and keys already.
func (o *Orbit) Examine(ctx context.Context) []Finding {
	findings := []Finding{
		{What: "configuration", Good: true, Result: "pages at " + o.Config.BaseURL.String()},
		o.examineDatabase(ctx),
		{What: "keys", Good: true, Result: o.Config.KeysetFile + " opens the keys of this database"},
		o.examineAdministrator(ctx),
		o.examineDefault(ctx),
		o.examineAudit(ctx),
	}
	for _, warning := range o.Config.Warnings {
		findings = append(findings, Finding{What: "configuration", Result: warning})
	}
	return findings
}

func failed(what string, err error) Finding { return Finding{What: what, Result: err.Error()} }

func (o *Orbit) examineDatabase(ctx context.Context) Finding {
	var version string
	if err := o.Pool.QueryRow(ctx, "show server_version").Scan(&version); err != nil {
		return failed("database", err)
	}
	kind := "private cluster in " + o.Config.DataDir
	if !o.Config.DatabaseURL.IsZero() {
		kind = "server of ORBIT_DATABASE_URL"
	}
	return Finding{What: "database", Good: true, Result: "PostgreSQL " + version + ", " + kind}
}

func (o *Orbit) examineAdministrator(ctx context.Context) Finding {
	needed, err := o.Identity.NeedsSetup(ctx)
	if err != nil {
		return failed("administrator", err)
	}
	if needed {
		return Finding{What: "administrator", Result: "there is none", Remedy: "Run: orbit user add NAME --role administrator"}
	}
	return Finding{What: "administrator", Good: true, Result: "there is one"}
}

func (o *Orbit) examineDefault(ctx context.Context) Finding {
	found, err := o.Accounts.HasDefault(ctx)
	if err != nil {
		return failed("default account", err)
	}
	if !found {
		return Finding{What: "default account", Result: "no enabled SMTP account is the default: nothing is sent",
			Remedy: "Settings > Notifications > SMTP Configuration"}
	}
	return Finding{What: "default account", Good: true, Result: "there is one"}
}

func (o *Orbit) examineAudit(ctx context.Context) Finding {
	verdict, err := audit.Verify(ctx, o.Pool)
	if err != nil {
		return failed("audit trail", err)
	}
	if !verdict.Intact() {
		return Finding{What: "audit trail", Result: fmt.Sprintf("broken at entry %d: %s", verdict.BrokenAt, verdict.Reason),
			Remedy: "Somebody changed the database by hand: compare it with a backup."}
	}
	return Finding{What: "audit trail", Good: true, Result: fmt.Sprintf("%d entries, unbroken; the last has the hash %x", verdict.Entries, verdict.LastHash)}
}
