package connector

import (
	"context"
	"slices"
	"sync"
	"time"

	"orbit/internal/mail/ladder"
)

const (
	maxCompared    = 4                // attempts at once: the server on the other side sees them all
	maxCompareTime = 60 * time.Second // of each attempt
)

// Path is one way to a server, and what an attempt on it showed.
type Path struct {
	ConnectorID int64  `json:"connector_id" doc:"0: directly"`
	Name        string `json:"name"`
	Kind        Kind   `json:"kind"`
	Default     bool   `json:"default,omitempty" doc:"The default of System Parameters"`
	Visit
}

// Server visits the server whose ways are compared, through the connector with an id or, with 0, directly. It reports to
// the ladder in its context.
type Server func(ctx context.Context, connectorID int64) error

// Compare visits a server directly and through every connector, several at once, and returns all ways in the
// order of the report. tell, if any, hears of all of them whenever one gets on.
func (s *Service) Compare(ctx context.Context, server Server, tell func([]Path)) ([]Path, error) {
	all, err := s.List(ctx)
	if err != nil {
		return nil, err
	}
	usual, err := s.usual(ctx)
	if err != nil {
		return nil, err
	}
	c := comparison{paths: make([]Path, len(all)), tell: tell}
	for i, way := range all {
		c.paths[i] = newPath(way, usual)
	}
	slots := make(chan struct{}, maxCompared)
	var running sync.WaitGroup
	for i, way := range c.paths {
		running.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			ctx, cancel := context.WithTimeout(ctx, maxCompareTime)
			defer cancel()
			c.note(i, attemptOn(ctx, func(v Visit) { c.note(i, v) }, func(ctx context.Context) error { return server(ctx, way.ConnectorID) }))
		})
	}
	running.Wait()
	return c.paths, nil
}

// newPath is a way that nobody has gone yet.
func newPath(c Connector, usual int64) Path {
	p := Path{ConnectorID: c.ID, Name: c.Name, Kind: c.Kind, Default: c.ID == usual, Visit: Visit{Running: true, Steps: []ladder.Step{}}}
	if c.Kind == KindDirect {
		p.ConnectorID, p.Default = 0, p.Default || usual == 0
	}
	return p
}

// comparison is a comparison that runs.
type comparison struct {
	mu    sync.Mutex
	paths []Path
	tell  func([]Path)
}

// note takes down how far an attempt is.
func (c *comparison) note(i int, v Visit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paths[i].Visit = v
	if c.tell != nil {
		c.tell(slices.Clone(c.paths))
	}
}

func (s *Service) usual(ctx context.Context) (int64, error) {
	if s.DefaultConnector == nil {
		return 0, nil
	}
	return s.DefaultConnector(ctx)
}

// Working returns the ways that work, the quickest first.
func Working(paths []Path) []Path {
	var working []Path
	for _, p := range paths {
		if p.Works {
			working = append(working, p)
		}
	}
	slices.SortStableFunc(working, func(a, b Path) int { return int(a.Duration - b.Duration) })
	return working
}
