package notify

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/notify/text"
	"orbit/internal/problem"
)

// fresh is how long rules, own event types and texts in memory are used: what one process saves, all others
// follow within it.
const fresh = time.Second

// directory remembers for a moment what every event asks for.
type directory struct {
	mu    sync.Mutex
	by    map[string]remembered[[]target]
	texts remembered[map[textOf]text.Text]
	types remembered[map[string]EventType]
}

type remembered[T any] struct {
	value T
	at    time.Time
}

func (r remembered[T]) holds() bool { return time.Since(r.at) < fresh }

// textOf names a text that somebody wrote.
type textOf struct {
	kind     string
	language text.Language
}

// targets returns whom the rules name for a type, also those that are disabled.
func (d *directory) targets(ctx context.Context, pool *pgxpool.Pool, kind string) ([]target, error) {
	d.mu.Lock()
	known, asked := d.by[kind], time.Now()
	d.mu.Unlock()
	if known.holds() {
		return known.value, nil
	}
	found, err := selectTargets(ctx, pool, kind)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.by == nil || len(d.by) > 1000 { // own types are few; a bound all the same
		d.by = map[string]remembered[[]target]{}
	}
	d.by[kind] = remembered[[]target]{found, asked}
	return found, nil
}

// forget makes the next question go to the database: something was saved here.
func (d *directory) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.by, d.texts, d.types = nil, remembered[map[textOf]text.Text]{}, remembered[map[string]EventType]{}
}

// written returns the text that somebody wrote, if there is an active one.
func (d *directory) written(ctx context.Context, pool *pgxpool.Pool, kind string, language text.Language) (text.Text, bool, error) {
	d.mu.Lock()
	known, asked := d.texts, time.Now()
	d.mu.Unlock()
	if !known.holds() {
		all, err := selectActiveTexts(ctx, pool)
		if err != nil {
			return text.Text{}, false, err
		}
		known = remembered[map[textOf]text.Text]{all, asked}
		d.mu.Lock()
		d.texts = known
		d.mu.Unlock()
	}
	found, ok := known.value[textOf{kind, language}]
	return found, ok, nil
}

// ownTypes returns the event types of the installation by name.
func (d *directory) ownTypes(ctx context.Context, pool *pgxpool.Pool) (map[string]EventType, error) {
	d.mu.Lock()
	known, asked := d.types, time.Now()
	d.mu.Unlock()
	if known.holds() {
		return known.value, nil
	}
	all, err := selectOwnTypes(ctx, pool)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.types = remembered[map[string]EventType]{all, asked}
	return all, nil
}

// eventType finds a type by name, in the catalogue or among the own ones.
func (s *Service) eventType(ctx context.Context, name string) (EventType, error) {
	if known, ok := KnownType(name); ok {
		return known, nil
	}
	own, err := s.directory.ownTypes(ctx, s.pool)
	if err != nil {
		return EventType{}, err
	}
	if kind, ok := own[name]; ok {
		return kind, nil
	}
	return EventType{}, problem.Invalid{{Name: "type", Text: "There is no event type “" + name + "”; GET /api/v1/event-types lists them."}}
}

// EventTypes returns all types: the catalogue's, then the own ones by name.
func (s *Service) EventTypes(ctx context.Context) ([]EventType, error) {
	own, err := s.directory.ownTypes(ctx, s.pool)
	if err != nil {
		return nil, err
	}
	all := Catalogue()
	for _, name := range sortedKeys(own) {
		all = append(all, own[name])
	}
	return all, nil
}
