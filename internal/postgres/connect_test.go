package postgres_test

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"orbit/internal/postgres"
	"orbit/internal/postgres/pgtest"
)

func TestAnExternalServerIsUsed(t *testing.T) {
	t.Parallel()
	db, err := postgres.Start(t.Context(), postgres.Options{URL: pgtest.URL(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	execute(t, db, "select from smtp_account")
}

func TestTheAddressMayChooseItsOwnLimits(t *testing.T) {
	t.Parallel()
	db, err := postgres.Attach(t.Context(), postgres.Options{
		URL: pgtest.URL(t) + "&pool_max_conns=3&statement_timeout=5s&application_name=mine",
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if n := db.Pool.Config().MaxConns; n != 3 {
		t.Errorf("%d connections, want 3", n)
	}
	var got string
	err = db.Pool.QueryRow(t.Context(), "select current_setting('statement_timeout') || ' ' || current_setting('application_name')").Scan(&got)
	if err != nil || got != "5s mine" {
		t.Errorf("%q, error %v", got, err)
	}
}

func TestAnAddressThatIsWrongIsExplained(t *testing.T) {
	t.Parallel()
	closed := closedPort(t)
	for name, c := range map[string]struct {
		address string
		says    []string
	}{
		"not an address":       {"orbit at db", []string{"ORBIT_DATABASE_URL", "postgres://user:password@host"}},
		"unknown mode":         {"postgres://o:geheim@db/orbit?sslmode=perhaps", []string{"ORBIT_DATABASE_URL", "sslmode"}},
		"password not encoded": {"postgres://o:geh%eim@db/orbit", []string{"ORBIT_DATABASE_URL", "percent-encoded"}},
		"no such name":         {"postgres://o:geheim@nowhere.invalid/orbit", []string{"nowhere.invalid:5432", "not found", "correct the host name"}},
		"refused":              {"postgres://o:geheim@" + closed + "/orbit", []string{closed, "does not answer", "start the server"}},
		"no socket":            {"postgres:///orbit?host=/nonexistent&user=o", []string{"/nonexistent", "start the server"}},
		"no database":          {pgtest.URL(t) + "&dbname=elsewhere", []string{`no database "elsewhere"`, "createdb"}},
		"no such user":         {pgtest.URL(t) + "&user=somebody", []string{`user "somebody"`, "pg_hba.conf"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := postgres.Start(t.Context(), postgres.Options{URL: c.address})
			assertSays(t, err, c.says...)
			if strings.Contains(err.Error(), "geh") {
				t.Errorf("error %q shows the password", err)
			}
		})
	}
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestAServerThatCannotServeIsExplained(t *testing.T) {
	t.Parallel()
	greeting := func(version, encoding, standby string) []pgproto3.BackendMessage {
		return []pgproto3.BackendMessage{
			&pgproto3.AuthenticationOk{},
			&pgproto3.ParameterStatus{Name: "server_version", Value: version},
			&pgproto3.ParameterStatus{Name: "server_encoding", Value: encoding},
			&pgproto3.ParameterStatus{Name: "in_hot_standby", Value: standby},
			&pgproto3.ReadyForQuery{TxStatus: 'I'},
		}
	}
	refusal := func(code, message string) []pgproto3.BackendMessage {
		return []pgproto3.BackendMessage{&pgproto3.ErrorResponse{Severity: "FATAL", Code: code, Message: message}}
	}
	for name, c := range map[string]struct {
		answer []pgproto3.BackendMessage
		says   []string
	}{
		"too old":      {greeting("12.4 (Debian 12.4-1)", "UTF8", "off"), []string{"version 12.4", "14 or newer"}},
		"not UTF8":     {greeting("15.1", "LATIN1", "off"), []string{"LATIN1", "encoding UTF8"}},
		"standby":      {greeting("15.1", "UTF8", "on"), []string{"standby", "primary"}},
		"bad password": {refusal("28P01", `password authentication failed for user "o"`), []string{`password of user "o"`, "ORBIT_DATABASE_URL"}},
		"full":         {refusal("53300", "too many clients already"), []string{"max_connections", "pool_max_conns"}},
		"may not":      {refusal("42501", "permission denied for database"), []string{"right to connect"}},
		"other":        {refusal("XX000", "something"), []string{"refuses", "something"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := answering(t, c.answer)
			_, err := postgres.Start(t.Context(), postgres.Options{URL: "postgres://o:geheim@" + address + "/orbit?sslmode=disable"})
			assertSays(t, err, append(c.says, address)...)
		})
	}
}

func TestAServerWithoutTLSIsExplained(t *testing.T) {
	t.Parallel()
	address := answering(t, nil)
	_, err := postgres.Start(t.Context(), postgres.Options{URL: "postgres://o:geheim@" + address + "/orbit?sslmode=require"})
	assertSays(t, err, address, "no TLS", "sslmode")
}

// answering plays servers that cannot be had: old ones, full ones, standbys.
func answering(t *testing.T, answer []pgproto3.BackendMessage) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if err := greet(conn, answer); err != nil && !errors.Is(err, net.ErrClosed) {
				t.Logf("the other end: %v", err)
			}
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-ended
	})
	return l.Addr().String()
}

func greet(conn net.Conn, answer []pgproto3.BackendMessage) error {
	defer conn.Close()
	backend := pgproto3.NewBackend(conn, conn)
	message, err := backend.ReceiveStartupMessage()
	if err != nil {
		return err
	}
	if _, ok := message.(*pgproto3.SSLRequest); ok {
		_, err := conn.Write([]byte("N"))
		return err
	}
	for _, m := range answer {
		backend.Send(m)
	}
	if err := backend.Flush(); err != nil {
		return err
	}
	_, _ = backend.Receive() // the goodbye, or the end
	return nil
}
