package idp

import (
	"crypto/rand"
	"time"
)

// maxShelf bounds a shelf. What would expire first makes room.
const maxShelf = 10000

// shelf keeps things under names that nobody can guess, each until its time is over.
type shelf[T any] struct {
	things map[string]thing[T]
}

type thing[T any] struct {
	value   T
	expires time.Time
}

// newName is a name of 130 random bits.
func newName() string { return rand.Text() }

func (s *shelf[T]) put(name string, value T, life time.Duration) {
	if s.things == nil {
		s.things = make(map[string]thing[T])
	}
	if len(s.things) >= maxShelf {
		s.clear()
	}
	s.things[name] = thing[T]{value, time.Now().Add(life)}
}

// get returns what is kept under name, unless its time is over.
func (s *shelf[T]) get(name string) (T, bool) {
	t, ok := s.things[name]
	if !ok || time.Now().After(t.expires) {
		var none T
		return none, false
	}
	return t.value, true
}

// expired reports that there was something under name.
func (s *shelf[T]) expired(name string) bool {
	t, ok := s.things[name]
	return ok && time.Now().After(t.expires)
}

// take is get for things that work once.
func (s *shelf[T]) take(name string) (T, bool) {
	value, ok := s.get(name)
	delete(s.things, name)
	return value, ok
}

// removeIf drops what somebody has taken back.
func (s *shelf[T]) removeIf(gone func(T) bool) {
	for name, t := range s.things {
		if gone(t.value) {
			delete(s.things, name)
		}
	}
}

// clear drops what is over, or else what will be first.
func (s *shelf[T]) clear() {
	now, next := time.Now(), ""
	for name, t := range s.things {
		if now.After(t.expires) {
			delete(s.things, name)
			continue
		}
		if next == "" || t.expires.Before(s.things[next].expires) {
			next = name
		}
	}
	if len(s.things) >= maxShelf {
		delete(s.things, next)
	}
}
