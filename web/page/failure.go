// Package page holds the pages: one file a page, with its view model beside it. A page takes a finished view
// model and cannot fail.
package page

// FailureView says that something could not be done.
type FailureView struct {
	Status    int
	Title     string
	Lines     []string
	Reference string // of the log entry; only for what is Orbit's fault
}
