package connector

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"

	"orbit/internal/mail/ladder"
)

// The numbers of RFC 1928 and RFC 1929.
const (
	socksVersion   = 5
	socksOpen      = 0 // no sign-in
	socksPassword  = 2 // username and password
	socksNoMethod  = 0xff
	socksConnect   = 1
	socksIPv4      = 1
	socksName      = 3
	socksIPv6      = 4
	passwordFormat = 1 // version of the sub-negotiation of RFC 1929
	maxSOCKSText   = 255
)

// socks5 is the gate of SOCKS5 proxies. x/net/proxy hides which reply a proxy gave, and reads no context
// during the dialogue.
type socks5 struct{}

var (
	errNotSOCKS  = errors.New("the answer is not SOCKS5")
	errMalformed = errors.New("the answer breaks the protocol")
	errTooLong   = errors.New("longer than 255 bytes")
)

func (socks5) reach(ctx context.Context, h hop) (session, error) {
	signIn, err := h.signIn(ctx)
	if err != nil {
		return nil, err
	}
	h.Username = signIn.username
	conn, err := h.dialConnector(ctx)
	if err != nil {
		return nil, err
	}
	l := ladder.From(ctx)
	l.Begin(ladder.Gate, "Sign-in at "+h.c.Name)
	said := ""
	err = converse(ctx, conn, signInTimeout, func() (err error) {
		said, err = greetSOCKS(conn, h, signIn)
		return err
	})
	if err != nil {
		_ = conn.Close()
		return nil, h.socksFault(err)
	}
	l.End("%s", said)
	return socksSession{conn}, nil
}

// socksFault explains what went wrong before the request.
func (h hop) socksFault(err error) error {
	var explained *ladder.Error
	switch {
	case errors.As(err, &explained):
		return err
	case errors.Is(err, errNotSOCKS):
		return h.fault(ladder.Gate, h.Named("socks5_not_socks"), err)
	case errors.Is(err, errMalformed):
		return h.fault(ladder.Gate, h.Named("socks5_malformed"), err)
	case errors.Is(err, errTooLong):
		return h.fault(ladder.Gate, h.Named("socks5_long"), err)
	}
	return h.fault(ladder.Gate, h.SignIn(err), err)
}

// greetSOCKS agrees on a way to sign in, and signs in. It returns what the step says.
func greetSOCKS(conn net.Conn, h hop, signIn signIn) (string, error) {
	methods := []byte{socksOpen}
	if signIn.username != "" {
		methods = []byte{socksPassword, socksOpen}
	}
	if _, err := conn.Write(append([]byte{socksVersion, byte(len(methods))}, methods...)); err != nil {
		return "", err
	}
	var answer [2]byte
	if _, err := io.ReadFull(conn, answer[:1]); err != nil {
		return "", err
	}
	if answer[0] != socksVersion { // another protocol may never send a second byte
		return "", errNotSOCKS
	}
	if _, err := io.ReadFull(conn, answer[1:]); err != nil {
		return "", err
	}
	switch {
	case answer[1] == socksOpen && signIn.username != "":
		return "the proxy asks for no password", nil
	case answer[1] == socksOpen:
		return "no sign-in needed", nil
	case answer[1] == socksPassword && signIn.username != "":
		return "signed in as " + signIn.username, passwordSOCKS(conn, h, signIn)
	case answer[1] == socksNoMethod:
		return "", h.fault(ladder.Gate, h.Named("socks5_method"), errors.New("no acceptable method"))
	}
	return "", fmt.Errorf("%w: method %d was not offered", errMalformed, answer[1])
}

// request asks for the destination: a name as it is, so that it is looked up at the far end.
func (s socksSession) request(ctx context.Context, h hop, host string, port int) (net.Conn, error) {
	question, err := socksRequest(host, port)
	if err != nil {
		return nil, h.fault(ladder.Connect, h.Named("socks5_long"), err)
	}
	var reply byte
	err = converse(ctx, s.conn, askTimeout, func() (err error) {
		if _, err := s.conn.Write(question); err != nil {
			return err
		}
		reply, err = readSOCKSReply(s.conn)
		return err
	})
	switch {
	case errors.Is(err, errMalformed), errors.Is(err, errNotSOCKS):
		return nil, h.fault(ladder.Connect, h.Named("socks5_malformed"), err)
	case err != nil:
		return nil, h.fault(ladder.Connect, h.Request(err), err)
	case reply != 0:
		return nil, h.fault(ladder.Connect, h.SOCKS(reply), fmt.Errorf("SOCKS reply %d", reply))
	}
	return s.conn, nil
}

// socksSession is a proxy that waits for the request.
type socksSession struct{ conn net.Conn }

func (s socksSession) close() { _ = s.conn.Close() }

func socksRequest(host string, port int) ([]byte, error) {
	question := []byte{socksVersion, socksConnect, 0}
	addr, err := netip.ParseAddr(host)
	switch {
	case err == nil && addr.Is4():
		question = append(append(question, socksIPv4), addr.AsSlice()...)
	case err == nil:
		question = append(append(question, socksIPv6), addr.AsSlice()...)
	case len(host) > maxSOCKSText:
		return nil, errTooLong
	default:
		question = append(append(question, socksName, byte(len(host))), host...)
	}
	return append(question, byte(port>>8), byte(port)), nil
}

// readSOCKSReply reads exactly the reply, because the server behind may speak at once. Of a refusal it reads
// two bytes: some proxies send no more.
func readSOCKSReply(conn io.Reader) (reply byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return 0, err
	}
	if head[0] != socksVersion {
		return 0, errNotSOCKS
	}
	if head[1] != 0 {
		return head[1], nil
	}
	var kind [2]byte // reserved, type of the bound address
	if _, err := io.ReadFull(conn, kind[:]); err != nil {
		return 0, err
	}
	var rest int
	switch kind[1] {
	case socksIPv4:
		rest = 4
	case socksIPv6:
		rest = 16
	case socksName:
		var length [1]byte
		if _, err := io.ReadFull(conn, length[:]); err != nil {
			return 0, err
		}
		rest = int(length[0])
	default:
		return 0, fmt.Errorf("%w: address type %d", errMalformed, kind[1])
	}
	_, err = io.CopyN(io.Discard, conn, int64(rest)+2)
	return 0, err
}
