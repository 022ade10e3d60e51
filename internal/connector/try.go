package connector

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/credential"
	"orbit/internal/mail/dial"
	"orbit/internal/mail/ladder"
	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// maxTestTime is more than all limits of the steps together.
const maxTestTime = 90 * time.Second

// TestRequest asks for a test of a connector: as far as the connector itself, or on through it.
type TestRequest struct {
	Host string `json:"host,omitempty" form:"host" label:"Destination" doc:"Name or address of a server behind the connector; absent: the connector alone"`
	Port int    `json:"port,omitempty" form:"port" label:"Port"`
}

// Visit is what one attempt showed, as far as it is.
type Visit struct {
	Running  bool          `json:"-"` // more is to come
	Works    bool          `json:"works"`
	Steps    []ladder.Step `json:"steps" nullable:"false"`
	Fault    *ladder.Fault `json:"fault,omitempty"`
	FailedAt string        `json:"failed_at,omitempty" doc:"Title of the step that failed"`
	Duration time.Duration `json:"duration" doc:"In nanoseconds"`
}

// reacher goes as far as the connector itself.
type reacher interface {
	Reach(ctx context.Context) error
}

// Test connects to a connector, signs in there, and with a host asks it for a connection to that. It tests an
// inactive connector too, so that one can be tried before it is used. The error is about the request: an
// attempt that failed is a Visit with a fault. tell, if any, hears of the attempt at each step.
func (s *Service) Test(ctx context.Context, id int64, r TestRequest, tell func(Visit)) (Visit, error) {
	c, err := s.Find(ctx, id)
	if err != nil {
		return Visit{}, err
	}
	r.Host = strings.TrimSpace(r.Host)
	if err := r.Validate(c); err != nil {
		return Visit{}, err
	}
	if err := s.recordTest(ctx, c, r); err != nil {
		return Visit{}, err
	}
	c.Active = true
	ctx, cancel := context.WithTimeout(credential.WithReason(ctx, "test of network connector "+c.Name), maxTestTime)
	defer cancel()
	return attemptOn(ctx, tell, func(ctx context.Context) error { return s.try(ctx, c, r) }), nil
}

// Validate says what is wrong with a request for a connector.
func (r TestRequest) Validate(c Connector) error {
	var wrong problem.Invalid
	r.Host = strings.TrimSpace(r.Host)
	if r.Host == "" {
		if c.Kind == KindDirect {
			wrong.Add("host", "Name a destination: there is nothing between this machine and it.")
		}
		return wrong.Err()
	}
	if _, err := dial.ASCIIHost(r.Host); err != nil {
		wrong.Add("host", "Destination must be a name such as mail.example.com or an address such as 192.0.2.25.")
	}
	if r.Port < 1 || r.Port > 65535 {
		wrong.Add("port", "Port must be a number from 1 to 65535.")
	}
	return wrong.Err()
}

func (s *Service) recordTest(ctx context.Context, c Connector, r TestRequest) error {
	detail := map[string]any{}
	if r.Host != "" {
		detail["host"], detail["port"] = r.Host, r.Port
	}
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error { return record(ctx, tx, "tested", c, detail) })
}

func (s *Service) try(ctx context.Context, c Connector, r TestRequest) error {
	way := s.way(c)
	if near, ok := way.(reacher); ok && r.Host == "" {
		return near.Reach(ctx)
	}
	conn, err := way.Dial(ctx, r.Host, r.Port)
	if err != nil {
		return err
	}
	return conn.Close()
}

// attemptOn makes an attempt and collects its steps.
func attemptOn(ctx context.Context, tell func(Visit), do func(context.Context) error) Visit {
	var l *ladder.Ladder
	l = ladder.New(func(ladder.Step) {
		if tell != nil {
			tell(Visit{Running: true, Steps: l.Steps()})
		}
	})
	begun := time.Now()
	err := do(ladder.With(ctx, l))
	v := Visit{Works: err == nil, Steps: l.Steps(), Duration: time.Since(begun)}
	if v.Steps == nil {
		v.Steps = []ladder.Step{}
	}
	if err == nil {
		return v
	}
	v.Fault = faultFor(err)
	for _, step := range v.Steps {
		if step.Fault != nil {
			v.FailedAt = step.Title
		}
	}
	return v
}

// faultFor is what people read of an error. Some come from before the first step.
func faultFor(err error) *ladder.Fault {
	var explained *ladder.Error
	if errors.As(err, &explained) {
		return &explained.Fault
	}
	return &ladder.Fault{
		Code: "orbit", Cause: "Orbit could not begin: " + err.Error() + ".", Who: ladder.You,
		Remedy: "Correct what the sentence above names and try again.",
	}
}
