package audit

import "context"

// Kind says through which door somebody came.
type Kind string

// The doors.
const (
	User    Kind = "user"    // signed in at a page
	Token   Kind = "token"   // an API token
	Command Kind = "command" // the command line on the server
	System  Kind = "system"  // Orbit itself: a schedule, a worker
)

// Actor is who does something. It travels in the context from the door to the transaction that records it.
type Actor struct {
	Kind    Kind
	ID      int64  // user or token id; 0 for command and system
	Name    string // username, token name, operating-system user
	Address string // remote address, empty for command and system
}

type actorKey struct{}

// WithActor returns a context in which everything is done by a.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// ActorFrom returns who is acting; without one it is Orbit itself.
func ActorFrom(ctx context.Context) Actor {
	if a, ok := ctx.Value(actorKey{}).(Actor); ok {
		return a
	}
	return Actor{Kind: System, Name: "orbit"}
}
