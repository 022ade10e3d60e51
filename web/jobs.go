package web

import "net/http"

// JobsPath is where River's own page of jobs stands. It is a program of its own in the browser: it has a policy of its
// own, which allows the styles that it sets, and nothing else that Orbit's pages forbid.
const JobsPath = "/settings/jobs"

const jobsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
	"connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"

// jobsRoutes mounts the page, with everything that it asks for.
func (s *Server) jobsRoutes(r *router) {
	if s.Jobs == nil {
		return
	}
	r.get(JobsPath, change, s.showJobs)
	r.mux.Handle(JobsPath+"/*", s.adapt(change, s.showJobs))
}

func (s *Server) showJobs(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Security-Policy", jobsPolicy)
	s.Jobs.ServeHTTP(w, r)
	return nil
}
