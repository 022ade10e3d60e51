package connector

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"orbit/internal/mail/ladder"
	"orbit/internal/postgres/pgtest"
	"orbit/internal/problem"
)

func add(t *testing.T, pool *pgxpool.Pool, name string, kind Kind, active bool) int64 {
	t.Helper()
	var id int64
	err := pool.QueryRow(t.Context(), `
		insert into network_connector (name, kind, address, port, active)
		values ($1, $2, 'gate.example.com', 1080, $3)
		returning id`, name, kind, active).Scan(&id)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestListAndFind(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	s := NewService(pool, Rules{})
	office := add(t, pool, "Office", KindSOCKS5, true)
	add(t, pool, "branch", KindAgent, false)
	all, err := s.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range all {
		names = append(names, c.Name)
	}
	if !slices.Equal(names, []string{"direct", "branch", "Office"}) {
		t.Errorf("%v", names)
	}
	c, err := s.Find(t.Context(), office)
	if err != nil || c.Name != "Office" || c.Kind != KindSOCKS5 || c.Address != "gate.example.com" || c.Port != 1080 || !c.Active || c.Version != 1 {
		t.Errorf("%+v %v", c, err)
	}
	if _, err := s.Find(t.Context(), 4711); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

// The kinds stand in Go and in a check of the table.
func TestKindsAreThoseOfTheTable(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	var check string
	err := pool.QueryRow(t.Context(), `
		select pg_get_constraintdef(oid)
		from pg_constraint
		where conname = 'network_connector_kind'`).Scan(&check)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(check, "'::text"); n != len(Kinds()) {
		t.Errorf("%d kinds in Go, %d in %s", len(Kinds()), n, check)
	}
	for _, k := range Kinds() {
		if !strings.Contains(check, fmt.Sprintf("'%s'", k)) {
			t.Errorf("%s is missing in %s", k, check)
		}
	}
}

func TestWhichWayAConnectionTakes(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	var directID int64
	if err := pool.QueryRow(t.Context(), `select id from network_connector where kind = 'direct'`).Scan(&directID); err != nil {
		t.Fatal(err)
	}
	off := add(t, pool, "Branch", KindAgent, false)
	agent := add(t, pool, "Agent", KindAgent, true)
	for _, c := range []struct {
		name          string
		use           bool
		id, byDefault int64
		direct        bool
		says          string
	}{
		{"switch off", false, 0, 0, true, ""},
		{"switch off, whatever is chosen", false, off, off, true, ""},
		{"default, and none is configured", true, 0, 0, true, ""},
		{"default is direct", true, 0, directID, true, ""},
		{"direct is chosen", true, directID, off, true, ""},
		{"default is not active", true, 0, off, false, "Branch cannot be used: it is not active"},
		{"an inactive one is chosen", true, off, 0, false, "Branch cannot be used: it is not active"},
		{"an agent where none are served", true, agent, 0, false, "Agent cannot be used: this process serves no agents"},
		{"default was deleted", true, 0, 4711, false, "number 4711 cannot be used: it does not exist"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, _, dialled := service(t, "", "", []string{"192.0.2.1"})
			s.pool = pool
			s.DefaultConnector = func(context.Context) (int64, error) { return c.byDefault, nil }
			d, err := s.Dialer(t.Context(), c.use, c.id)
			if err != nil {
				t.Fatal(err)
			}
			l := ladder.New(nil)
			conn, err := d.Dial(ladder.With(t.Context(), l), "mail.example.com", 587)
			if c.direct {
				if err != nil || conn == nil || len(*dialled) != 1 {
					t.Errorf("%v, dialled %v", err, *dialled)
				}
				return
			}
			fault := faultOf(t, err)
			if fault.Step != ladder.Connector || fault.Fault.Code != "connector_unusable" || !strings.Contains(fault.Fault.Cause, c.says) {
				t.Errorf("%+v", fault)
			}
			if len(*dialled) != 0 {
				t.Errorf("it went directly: %v", *dialled)
			}
			if steps := l.Steps(); len(steps) != 1 || steps[0].Name != ladder.Connector || !steps[0].Done {
				t.Errorf("%+v", l.Steps())
			}
		})
	}
}

func TestOwnListenersAreDialledDirectly(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	off := add(t, pool, "Branch", KindAgent, false)
	s, _, dialled := service(t, "", "", []string{"127.0.0.1"})
	s.pool = pool
	s.OwnListener = func(to netip.AddrPort) bool { return to == netip.MustParseAddrPort("127.0.0.1:2465") }
	d, err := s.Dialer(t.Context(), true, off)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "localhost", "::ffff:127.0.0.1"} {
		if _, err := d.Dial(t.Context(), host, 2465); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	for host, port := range map[string]int{"127.0.0.1": 2466, "mail.example.com": 2465, "": 2465, "127.0.0.2": 70000} {
		if _, err := d.Dial(t.Context(), host, port); faultOf(t, err).Step != ladder.Connector {
			t.Errorf("%s:%d: %v", host, port, err)
		}
	}
	if len(*dialled) != 3 {
		t.Errorf("dialled %v", *dialled)
	}
}

func TestABrokenDefaultFails(t *testing.T) {
	t.Parallel()
	s, _, _ := service(t, "", "", nil)
	s.DefaultConnector = func(context.Context) (int64, error) { return 0, errors.New("no database") }
	if _, err := s.Dialer(t.Context(), true, 0); err == nil {
		t.Error("a default that cannot be read means direct")
	}
	if _, err := s.HTTPClient(t.Context(), true, 0); err == nil {
		t.Error("a default that cannot be read means direct")
	}
}
