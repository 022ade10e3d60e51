package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"net/netip"
	"slices"
	"strings"

	"orbit/internal/mail/explain"
	"orbit/internal/mail/ladder"
	"orbit/internal/mail/sasl"
)

// method is one way to sign in with a password.
type method struct {
	name     string
	readable bool // the password crosses the connection as it is
	digest   bool // it does not, but the protection is poor
	doubtful bool // a refusal may mean that the server is not set up for it
	run      func(ctx context.Context) (string, error)
}

// signIn signs in as the account says.
func (v *visit) signIn(ctx context.Context) error {
	if v.server.Auth.Token != nil {
		return v.signInWithToken(ctx)
	}
	return v.signInWithPassword(ctx)
}

// signInWithPassword tries the best method, and the next only when the refusal is about the method: otherwise a second
// try would only count as another wrong password.
func (v *visit) signInWithPassword(ctx context.Context) error {
	l := ladder.From(ctx)
	l.Begin(ladder.Auth, "Sign-in")
	methods := v.passwordMethods()
	if len(methods) == 0 {
		return v.noWayIn(ctx)
	}
	for i, m := range methods {
		if m.readable && !v.secure && !loopback(v.server.Target.Host) {
			l.Warn("The password travels unencrypted to %s: everybody on the way can read it. Use STARTTLS or implicit TLS.",
				v.server.Target.Host)
		}
		text, err := m.run(ctx)
		var refusal *Refusal
		if errors.As(err, &refusal) && (m.doubtful || refusal.unsupported()) && i < len(methods)-1 {
			continue
		}
		if err != nil {
			return v.fail(ctx, ladder.Auth, err)
		}
		l.End("%s", explain.Clean(text+" ("+m.name+")"))
		break
	}
	return nil
}

// passwordMethods are the ways in that the server offers, best first. Over TLS the readable ones come before the
// digests: those protect little that TLS does not, and servers that store hashes offer them and fail.
func (v *visit) passwordMethods() []method {
	all := v.door.methods()
	for _, name := range []string{sasl.Login, sasl.Plain, sasl.CRAMMD5, sasl.ScramSHA256, sasl.ScramSHA256Plus} {
		if m, ok := v.saslMethod(name); ok {
			all = slices.Insert(all, 0, m)
		}
	}
	rank := func(m method) int {
		switch {
		case m.readable && v.secure || m.digest && !v.secure:
			return 1
		case m.readable || m.digest:
			return 2
		}
		return 0
	}
	slices.SortStableFunc(all, func(a, b method) int { return rank(a) - rank(b) })
	return all
}

// saslMethod is the method that uses a mechanism, if it is offered and possible on this connection.
func (v *visit) saslMethod(name string) (method, bool) {
	client := v.mechanism(name)
	if client == nil || !slices.Contains(v.offer.mechanisms, name) {
		return method{}, false
	}
	m := method{name: name, readable: name == sasl.Plain || name == sasl.Login, digest: name == sasl.CRAMMD5}
	m.run = func(ctx context.Context) (string, error) {
		text, err := v.door.authenticate(ctx, client)
		if scram, ok := client.(*sasl.Scram); ok && err == nil && !scram.Proven() {
			return "", sasl.ErrServerProof
		}
		return text, err
	}
	return m, true
}

// mechanism returns nil for one that cannot be used on this connection.
func (v *visit) mechanism(name string) sasl.Client {
	auth := v.server.Auth
	binding, unbound := v.binding()
	switch name {
	case sasl.ScramSHA256Plus:
		if unbound != nil {
			return nil
		}
		return sasl.NewScramSHA256Plus(auth.Username, auth.Password, binding)
	case sasl.ScramSHA256:
		couldBind := unbound == nil && !slices.Contains(v.offer.mechanisms, sasl.ScramSHA256Plus)
		return sasl.NewScramSHA256(auth.Username, auth.Password, couldBind)
	case sasl.CRAMMD5:
		return sasl.NewCRAMMD5(auth.Username, auth.Password)
	case sasl.Login:
		return sasl.NewLogin(auth.Username, auth.Password)
	default:
		return sasl.NewPlain(auth.Username, auth.Password)
	}
}

var errNoTLS = errors.New("no TLS to bind to")

func (v *visit) binding() (sasl.Binding, error) {
	conn, ok := v.conn.(*tls.Conn)
	if !ok {
		return sasl.Binding{}, errNoTLS
	}
	return sasl.NewBinding(conn.ConnectionState())
}

func (v *visit) noWayIn(ctx context.Context) error {
	c := v.known()
	c.Offered = v.offer.mechanisms
	if len(c.Offered) > 0 || c.OAuth {
		return ladder.From(ctx).Fail(ladder.Auth, explain.NoMechanism(c), nil)
	}
	c.Offered = v.offer.names
	return ladder.From(ctx).Fail(ladder.Auth, explain.NoAuth(c), nil)
}

// loopback reports whether host is this machine by its spelling; a name that only resolves to it is not.
func loopback(host string) bool {
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
