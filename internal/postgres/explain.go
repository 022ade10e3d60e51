package postgres

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// SQLSTATE codes, PostgreSQL documentation appendix A.
const (
	badPassword        = "28P01"
	badAuthorization   = "28000"
	noSuchDatabase     = "3D000"
	insufficientRights = "42501"
	tooManyConnections = "53300"
	serverIsStartingUp = "57P03"
)

// environmentVariable is where an administrator corrects the address.
const environmentVariable = "ORBIT_DATABASE_URL"

// code is the SQLSTATE of an error, or "".
func code(err error) string {
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) {
		return refusal.Code
	}
	return ""
}

// describeAddress never quotes an address that cannot be taken apart, because a password may be anywhere in it.
func describeAddress(address string, err error) error {
	reason := ""
	if u, parseErr := url.Parse(address); parseErr == nil {
		password, _ := u.User.Password()
		if inner := errors.Unwrap(err); inner != nil && (password == "" || !strings.Contains(inner.Error(), password)) {
			reason = " (" + inner.Error() + ")"
		}
	}
	return fmt.Errorf("%s is not the address of a PostgreSQL database%s: write "+
		"postgres://user:password@host:5432/database, with special characters of the password percent-encoded", environmentVariable, reason)
}

// describeConnect says in one sentence what failed, where, and what to do.
func describeConnect(config *pgx.ConnConfig, err error) error {
	server := "PostgreSQL at " + net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
	if strings.HasPrefix(config.Host, "/") {
		server = "PostgreSQL at the socket in " + config.Host
	}
	var wrong unsuitable
	if errors.As(err, &wrong) {
		return fmt.Errorf("%s cannot be used: %w", server, wrong)
	}
	if remedy := remedyByCode(config, code(err)); remedy != "" {
		return fmt.Errorf("%s %s (%w)", server, remedy, innermost(err))
	}
	return fmt.Errorf("%s %s (%w)", server, remedyByNetwork(err), innermost(err))
}

func remedyByCode(config *pgx.ConnConfig, sqlstate string) string {
	switch sqlstate {
	case badPassword:
		return fmt.Sprintf("does not accept the password of user %q: correct user and password in %s", config.User, environmentVariable)
	case badAuthorization:
		return fmt.Sprintf("does not let user %q in: correct %s, or allow user, database and this address in the server's pg_hba.conf",
			config.User, environmentVariable)
	case noSuchDatabase:
		return fmt.Sprintf("has no database %q: create it with `createdb -O %s %[1]s`, or correct %[3]s", config.Database, config.User, environmentVariable)
	case insufficientRights:
		return fmt.Sprintf("does not let user %q use database %q: grant it the right to connect", config.User, config.Database)
	case tooManyConnections:
		return "has no connection left: raise its max_connections, or add pool_max_conns=8 to " + environmentVariable
	case serverIsStartingUp:
		return "is still starting or shutting down: look into its log"
	case "":
		return ""
	default:
		return "refuses the connection"
	}
}

func remedyByNetwork(err error) string {
	var (
		noName  *net.DNSError
		badCert x509.UnknownAuthorityError
		badName x509.HostnameError
	)
	switch {
	case errors.As(err, &noName):
		return "was not found: correct the host name in " + environmentVariable
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOENT):
		return "does not answer: start the server, correct host and port in " + environmentVariable + ", or remove it to use a private cluster"
	case errors.As(err, &badCert), errors.As(err, &badName):
		return "shows a certificate that cannot be trusted: add sslrootcert=FILE to " + environmentVariable + ", or use the name in the certificate"
	case strings.Contains(err.Error(), "server refused TLS"):
		return "offers no TLS: enable ssl on the server, or choose sslmode in " + environmentVariable
	case pgconn.Timeout(err), errors.Is(err, context.DeadlineExceeded):
		return "does not answer in time: check host, port and the firewall between"
	default:
		return "cannot be reached: check " + environmentVariable
	}
}

// innermost drops the layers that repeat where the connection went.
func innermost(err error) error {
	var (
		refusal *pgconn.PgError
		noName  *net.DNSError
		network *net.OpError
	)
	switch {
	case errors.As(err, &refusal):
		return refusal
	case errors.As(err, &noName):
		return noName
	case errors.As(err, &network):
		return network
	case strings.Contains(err.Error(), "\n"): // pgx gives each attempt a line
		return errors.New(strings.Join(strings.Fields(err.Error()), " "))
	default:
		return err
	}
}
