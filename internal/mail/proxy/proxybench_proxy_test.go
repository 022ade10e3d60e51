package proxy_test

import (
	"context"
	"net"

	"orbit/internal/mail/proxy"
	"orbit/internal/vault"
)

// serveProxy runs a real proxy and returns the address of each listener by name.
func serveProxy(plan []proxy.Listener) (map[string]string, error) {
	open := make(chan proxy.Event, len(plan))
	server, err := proxy.New(proxy.Options{Backend: memory{}, Observer: proxy.ObserverFunc(func(e proxy.Event) {
		if e.Kind == proxy.Listening {
			open <- e
		}
	})})
	if err != nil {
		return nil, err
	}
	server.Apply(plan)
	go func() { _ = server.Run(context.Background()) }()
	addresses := make(map[string]string)
	for range plan {
		e := <-open
		addresses[e.Listener.Name] = e.Text
	}
	return addresses, nil
}

// memory is a backend that knows one account, and always has a token.
type memory struct{}

func (memory) Login(_ context.Context, username string, password vault.Secret, _ proxy.Client) (proxy.Account, error) {
	if username != benchUser || password.Reveal() != benchPassword {
		return proxy.Account{}, &proxy.Refusal{Reason: proxy.WrongCredentials}
	}
	return proxy.Account{ID: 1, Name: benchUser, Mailbox: benchUser}, nil
}

func (memory) Token(context.Context, proxy.Listener, proxy.Account, bool) (vault.Secret, error) {
	return vault.NewSecret(benchToken), nil
}

func (memory) Dial(ctx context.Context, l proxy.Listener, _ proxy.Account) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", local(l.Upstream.Port))
}
