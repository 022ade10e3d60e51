package web

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/a-h/templ"

	"orbit/internal/problem"
)

// stream sends parts of a page as they happen (server-sent events).
type stream struct {
	w       http.ResponseWriter
	r       *http.Request
	control *http.ResponseController
}

// startStream begins the answer. The write deadline of the server does not apply: a test may take minutes.
func startStream(w http.ResponseWriter, r *http.Request) (*stream, error) {
	s := &stream{w: w, r: r, control: http.NewResponseController(w)}
	if err := s.control.SetWriteDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil, fmt.Errorf("start event stream: %w", err)
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold the events back
	w.WriteHeader(http.StatusOK)
	return s, s.control.Flush()
}

// startWork begins the answer to a request that does more than show. So it is given to Orbit's own pages only, as to a post:
// the cookie comes with a link from anywhere, and this is what a browser says of where it was.
func startWork(w http.ResponseWriter, r *http.Request) (*stream, error) {
	if from := r.Header.Get("Sec-Fetch-Site"); from != "" && from != "same-origin" {
		return nil, problem.ErrForbidden
	}
	return startStream(w, r)
}

// send sends a part under the event's name.
func (s *stream) send(event string, part templ.Component) error {
	var out bytes.Buffer
	if err := part.Render(s.r.Context(), &out); err != nil {
		return fmt.Errorf("render event %s: %w", event, err)
	}
	return s.write(event, out.Bytes())
}

// done says that nothing more comes; the page closes the stream.
func (s *stream) done() error { return s.write("done", nil) }

func (s *stream) write(event string, content []byte) error {
	var out bytes.Buffer
	fmt.Fprintf(&out, "event: %s\n", event)
	for line := range bytes.SplitSeq(content, []byte("\n")) {
		fmt.Fprintf(&out, "data: %s\n", line)
	}
	out.WriteByte('\n')
	if _, err := s.w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write event: %w", err)
	}
	return s.control.Flush()
}
