package connector

import (
	"context"
	"slices"
	"sync"
	"time"
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

// Compare visits a server directly and through every connector, several at once, and returns all ways in the
// order of the report. visit is called with the id of a connector, 0 for directly, and reports to the ladder in
// its context.
func (s *Service) Compare(ctx context.Context, server func(ctx context.Context, connectorID int64) error) ([]Path, error) {
	all, err := s.List(ctx)
	if err != nil {
		return nil, err
	}
	usual, err := s.usual(ctx)
	if err != nil {
		return nil, err
	}
	paths := make([]Path, len(all))
	slots := make(chan struct{}, maxCompared)
	var running sync.WaitGroup
	for i, c := range all {
		paths[i] = Path{ConnectorID: c.ID, Name: c.Name, Kind: c.Kind, Default: c.ID == usual || usual == 0 && c.Kind == KindDirect}
		if c.Kind == KindDirect {
			paths[i].ConnectorID = 0
		}
		running.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			ctx, cancel := context.WithTimeout(ctx, maxCompareTime)
			defer cancel()
			id := paths[i].ConnectorID
			paths[i].Visit = attemptOn(ctx, nil, func(ctx context.Context) error { return server(ctx, id) })
		})
	}
	running.Wait()
	return paths, nil
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
