package proxy

import "errors"

// What ends a session; Event.Err of Ended wraps one of these, or an error of a connection.
var (
	errQuit      = errors.New("the client said goodbye")
	errGone      = errors.New("the client left while it waited for its sign-in")
	errTooMany   = errors.New("too many wrong commands")
	errGuessing  = errors.New("too many failed sign-ins")
	errFlood     = errors.New("a line without end")
	errLiteral   = errors.New("octets that belong to no command")
	errInjected  = errors.New("octets sent before TLS pretend to come after it")
	errHandshake = errors.New("no TLS with the client")
	errHeader    = errors.New("no PROXY protocol header")
	errSessions  = errors.New("too many connections")
	errIdle      = errors.New("nobody has spoken for too long")
	errDraining  = errors.New("the listener is being stopped")
	errPanic     = errors.New("a fault in Orbit")
)

// What goes wrong in one command; the session goes on.
var (
	errLineTooLong = errors.New("the line is too long")
	errMechanism   = errors.New("the mechanism is not supported")
	errCancelled   = errors.New("the client cancelled the sign-in")
	errBase64      = errors.New("the response is not base64")
	errArguments   = errors.New("the arguments are not two strings")
	errIncomplete  = errors.New("the user name or the password is missing")
	errTooBig      = errors.New("the literal is too long")
)
