package explain

import "context"

type spokenKey struct{}

// Speaking notes in a context which protocol ("IMAP") a connection is for. A dialer knows only host and port, and on
// an unusual port an explanation would name the ports of another protocol.
func Speaking(ctx context.Context, protocol string) context.Context {
	return context.WithValue(ctx, spokenKey{}, protocol)
}

// At returns what is known of a connection to a server.
func At(ctx context.Context, host string, port int) Context {
	protocol, _ := ctx.Value(spokenKey{}).(string)
	return Context{Host: host, Port: port, Protocol: protocol}
}
