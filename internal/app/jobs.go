package app

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"path"

	"github.com/jackc/pgx/v5"
	"riverqueue.com/riverui"

	"orbit/internal/audit"
	"orbit/internal/postgres"
	"orbit/web"
)

// River's own page shows the jobs that wake senders and tell webhooks. web mounts it for administrators alone.

// maxJobsAsked bounds what a question to that page may hold: a list of job numbers.
const maxJobsAsked = 64 << 10

// assembleJobsPage builds the page; Run of it must be started.
func (o *Orbit) assembleJobsPage() (err error) {
	o.jobsPage, err = riverui.NewHandler(&riverui.HandlerOpts{
		Endpoints: riverui.NewEndpoints(o.Notify.Jobs(), nil), Logger: o.Log, Prefix: web.JobsPath, JobListHideArgsByDefault: true,
	})
	if err != nil {
		return fmt.Errorf("set up the page of jobs: %w", err)
	}
	return nil
}

// runJobsPage keeps what the page counts until ctx ends.
func (o *Orbit) runJobsPage(ctx context.Context) error {
	if err := o.jobsPage.Start(ctx); err != nil {
		return fmt.Errorf("start the page of jobs: %w", err)
	}
	<-ctx.Done()
	return nil
}

// auditedJobs writes into the audit trail what somebody asks the page to do, before it is done.
func (o *Orbit) auditedJobs() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			o.jobsPage.ServeHTTP(w, r)
			return
		}
		asked, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxJobsAsked))
		if err != nil {
			http.Error(w, "That was too much at once.", http.StatusRequestEntityTooLarge)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(asked))
		err = postgres.InTx(r.Context(), o.Pool, func(tx pgx.Tx) error {
			return audit.Record(r.Context(), tx, audit.Entry{
				Action: "job." + path.Base(r.URL.Path), Object: "job", ObjectName: r.Method + " " + r.URL.Path, Detail: map[string]any{"asked": string(asked)},
			})
		})
		if err != nil {
			o.Log.ErrorContext(r.Context(), "record what was asked of jobs", "error", err)
			http.Error(w, "Orbit could not do this; the reason is in its log.", http.StatusInternalServerError)
			return
		}
		o.jobsPage.ServeHTTP(w, r)
	})
}
