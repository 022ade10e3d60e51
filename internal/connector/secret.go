package connector

import (
	"encoding/base64"
	"errors"
	"io"
	"net"
	"strings"

	"golang.org/x/crypto/ssh"

	"orbit/internal/mail/ladder"
)

// The one file of this package that looks into secrets, to put them on the wire.

// passwordSOCKS signs in with username and password (RFC 1929).
func passwordSOCKS(conn net.Conn, h hop, in signIn) error {
	password := in.secret.Reveal()
	if len(in.username) > maxSOCKSText || len(password) > maxSOCKSText {
		return errTooLong
	}
	message := append([]byte{passwordFormat, byte(len(in.username))}, in.username...)
	message = append(append(message, byte(len(password))), password...)
	if _, err := conn.Write(message); err != nil {
		return err
	}
	var answer [2]byte
	if _, err := io.ReadFull(conn, answer[:]); err != nil {
		return err
	}
	if answer[1] != 0 {
		return h.fault(ladder.Gate, h.Named("socks5_password"), errors.New("password refused"))
	}
	return nil
}

// basic is the value of Proxy-Authorization (RFC 7617).
func (in signIn) basic() string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(in.username+":"+in.secret.Reveal()))
}

// holdsKey reports whether the secret is a private key rather than a password.
func (in signIn) holdsKey() bool {
	return strings.HasPrefix(strings.TrimSpace(in.secret.Reveal()), "-----BEGIN ")
}

// signer reads the private key.
func (in signIn) signer() (ssh.Signer, error) {
	return ssh.ParsePrivateKey([]byte(unfolded(in.secret.Reveal())))
}

// unfolded gives a key its lines again: a field of one line drops the breaks of what is pasted.
func unfolded(key string) string {
	key = strings.TrimSpace(key)
	begin, rest, found := strings.Cut(strings.TrimPrefix(key, "-----"), "-----")
	body, end, closed := strings.Cut(rest, "-----")
	if strings.ContainsAny(key, "\r\n") || !found || !closed {
		return key + "\n"
	}
	return "-----" + begin + "-----\n" + strings.Join(strings.Fields(body), "\n") + "\n-----" + end + "\n"
}

// methods are the ways to sign in at an SSH server with this secret. Many servers ask for the password by
// keyboard-interactive (RFC 4256) only; a question of several parts is none that a password answers.
func (in signIn) methods() ([]ssh.AuthMethod, error) {
	if in.holdsKey() {
		key, err := in.signer()
		if err != nil {
			return nil, err
		}
		return []ssh.AuthMethod{ssh.PublicKeys(key)}, nil
	}
	answer := func(_, _ string, questions []string, echos []bool) ([]string, error) {
		switch {
		case len(questions) == 0:
			return nil, nil
		case len(questions) == 1 && !echos[0]:
			return []string{in.secret.Reveal()}, nil
		}
		return nil, errors.New("the server asks for more than a password")
	}
	return []ssh.AuthMethod{ssh.PasswordCallback(func() (string, error) { return in.secret.Reveal(), nil }), ssh.KeyboardInteractive(answer)}, nil
}
