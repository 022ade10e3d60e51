package proxyhost

import (
	"context"
	"time"

	"orbit/internal/mail/proxy"
)

// ProcessState is what one process does with one listener.
type ProcessState struct {
	Process    string      `db:"process" json:"process"`
	Host       string      `db:"host" json:"host"`
	PID        int         `db:"pid" json:"pid"`
	ListenerID int64       `db:"proxy_listener_id" json:"proxy_listener_id"`
	State      proxy.State `db:"state" json:"state"`
	Reason     string      `db:"reason" json:"reason,omitempty"` // why standby or failed
	Since      time.Time   `db:"since" json:"since"`
	Address    string      `db:"address" json:"address,omitempty"` // the port that is open
	Figures
	Failures  []Failure `db:"failures" json:"failures,omitempty"` // the last ones, oldest first
	UpdatedAt time.Time `db:"updated_at" json:"updated_at"`
}

// Figures count since a process has started.
type Figures struct {
	Sessions   int        `db:"sessions" json:"sessions"` // open now
	Accepted   int64      `db:"accepted" json:"accepted"` // connections
	SignIns    int64      `db:"sign_ins" json:"sign_ins"`
	Refused    int64      `db:"refused" json:"refused"`
	Up         int64      `db:"bytes_up" json:"bytes_up"`     // from clients
	Down       int64      `db:"bytes_down" json:"bytes_down"` // from servers
	LastUsedAt *time.Time `db:"last_used_at" json:"last_used_at,omitempty"`
}

// Failure is something that went wrong at a listener.
type Failure struct {
	At      time.Time    `json:"at"`
	Account string       `json:"account,omitempty"`
	Reason  proxy.Reason `json:"reason,omitempty"` // "" when it was no sign-in
	Text    string       `json:"text"`
}

// Status is a listener with what all processes do with it.
type Status struct {
	Listener
	State     proxy.State    `json:"state"`
	Reason    string         `json:"reason,omitempty"`
	Warnings  []string       `json:"warnings,omitempty" doc:"What works and still deserves a thought"`
	Figures                  // of all processes together
	Processes []ProcessState `json:"processes"`
}

// Statuses returns all listeners by name with what the processes do with them; it is three seconds old at most
// where nothing has changed.
func (s *Service) Statuses(ctx context.Context) ([]Status, error) {
	listeners, err := s.List(ctx)
	if err != nil {
		return nil, err
	}
	states, err := selectStates(ctx, s.pool)
	if err != nil {
		return nil, err
	}
	all := make([]Status, len(listeners))
	for i, l := range listeners {
		all[i] = statusOf(l, states)
	}
	return all, nil
}

// usefulness orders states: one process that serves is enough.
var usefulness = []proxy.State{proxy.Running, proxy.Failed, proxy.Standby, proxy.Starting, proxy.Idle}

func statusOf(l Listener, states []ProcessState) Status {
	st := Status{Listener: l, State: proxy.Idle, Warnings: l.warnings()}
	for _, p := range states {
		if p.ListenerID == l.ID {
			st.Processes = append(st.Processes, p)
			st.add(p.Figures)
		}
	}
	for _, state := range usefulness {
		for _, p := range st.Processes {
			if p.State == state {
				st.State, st.Reason = state, p.Reason
				return st
			}
		}
	}
	if l.Wanted == Running {
		st.Reason = "no Orbit process serves it; is orbit serve running?"
	}
	return st
}

// warnings are those of the settings as sentences, for who sees no form.
func (s Settings) warnings() []string {
	var texts []string
	for _, w := range s.Warnings() {
		texts = append(texts, w.Text)
	}
	return texts
}

func (s *Status) add(f Figures) {
	s.Sessions += f.Sessions
	s.Accepted += f.Accepted
	s.SignIns += f.SignIns
	s.Refused += f.Refused
	s.Up += f.Up
	s.Down += f.Down
	if f.LastUsedAt != nil && (s.LastUsedAt == nil || f.LastUsedAt.After(*s.LastUsedAt)) {
		s.LastUsedAt = f.LastUsedAt
	}
}
