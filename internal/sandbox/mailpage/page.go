// Package mailpage shows the mail that the sandbox has kept, and lets people script what its identity provider
// answers next.
package mailpage

import (
	"net/http"

	"orbit/internal/sandbox/idp"
	"orbit/internal/sandbox/look"
	"orbit/internal/sandbox/mailbox"
)

// Handler is the page.
func Handler(mail *mailbox.Store, identity *idp.Provider) http.Handler {
	mux := http.NewServeMux()
	look.Mount(mux)
	return look.Secure(mux)
}
