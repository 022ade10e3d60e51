package notify

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"orbit/internal/account"
	"orbit/internal/postgres"
	"orbit/internal/postgres/pgtest"
)

// These variables turn a test binary into an Orbit of its own that is going to be killed.
const (
	processVariable = "NOTIFY_TEST_DATABASE"
	loadVariable    = "NOTIFY_TEST_LOAD"
)

func TestMain(m *testing.M) {
	if address := os.Getenv(processVariable); address != "" {
		beProcess(address, os.Getenv(loadVariable))
		return
	}
	os.Exit(m.Run())
}

// beProcess delivers, and posts events if it is told to; it prints the key of each event once it is accepted.
func beProcess(address, load string) {
	t := &testing.B{}
	pool, err := postgres.NewPool(context.Background(), address)
	if err != nil {
		panic(err)
	}
	s := newService(t, pool)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // the parent has gone
		os.Exit(0)
	}()
	if load != "" {
		for i := range 4 {
			go postForEver(s, fmt.Sprint(load, "-", i))
		}
	}
	panic(s.Run(context.Background()))
}

func postForEver(s *Service, prefix string) {
	for i := 0; ; i++ {
		e := viewed("x")
		e.IdempotencyKey = fmt.Sprint(prefix, "-", i)
		if _, err := s.Post(context.Background(), e); err == nil {
			fmt.Println(e.IdempotencyKey)
		}
		pause(context.Background(), nil, 5*time.Millisecond)
	}
}

// process is an Orbit in another process.
type process struct {
	t        testing.TB
	cmd      *exec.Cmd
	mu       sync.Mutex
	accepted []string
	first    chan struct{}
}

func startProcess(t testing.TB, address, load string) *process {
	t.Helper()
	p := &process{t: t, first: make(chan struct{}), cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), processVariable+"="+address, loadVariable+"="+load)
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); p.kill() })
	go p.listen(out)
	return p
}

func (p *process) listen(out io.Reader) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		p.mu.Lock()
		p.accepted = append(p.accepted, lines.Text())
		if len(p.accepted) == 1 {
			close(p.first)
		}
		p.mu.Unlock()
	}
}

// awaitFirst waits until the process has accepted an event.
func (p *process) awaitFirst() {
	p.t.Helper()
	select {
	case <-p.first:
	case <-time.After(patience):
		p.t.Fatal("the process accepts nothing")
	}
}

func (p *process) kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	_ = p.cmd.Wait()
}

func (p *process) keys() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.accepted...)
}

// times is how often something is done: in full under ORBIT_SOAK.
func times(short, full int) int {
	if os.Getenv("ORBIT_SOAK") != "" {
		return full
	}
	return short
}

// checkCopies checks how often each message came: once, and once more when it was in flight at a kill.
func (r *rig) checkCopies(server *server, accepted []string) {
	r.t.Helper()
	copies := server.byID()
	for _, key := range accepted {
		id := scan[string](r, "select message_id from delivery where event_id = (select id from event where idempotency_key = $1)", key)
		if copies[id] == 0 {
			r.t.Errorf("the event %s was accepted and its message did not come", key)
		}
	}
	inFlight := r.count("select count(*) from delivery_attempt where outcome = 'uncertain'")
	doubled := 0
	for id, n := range copies {
		if n == 1 {
			continue
		}
		doubled++
		lost := r.count("select count(*) from delivery_attempt a join delivery d on d.id = a.delivery_id where message_id = $1 and outcome = 'uncertain'", id)
		if n > 1+lost {
			r.t.Errorf("message %s came %d times and was in flight %d times", id, n, lost)
		}
	}
	r.t.Logf("%d accepted, %d messages came, %d of them more than once, %d attempts were cut off", len(accepted), len(copies), doubled, inFlight)
}

func (r *rig) untilNothingWaits() {
	r.t.Helper()
	r.until("nothing waits", func() bool {
		r.exec("update delivery set due_at = now() where waiting and due_at > now()")
		return r.count("select count(*) from delivery where waiting") == 0
	})
}

func TestAKilledOrbitLosesNothing(t *testing.T) {
	t.Parallel()
	address := pgtest.URL(t)
	r := rigOn(t, pgtest.Open(t, address))
	server := newServer(t, nil)
	r.account("info", server.port, asDefault, connections(4))
	r.rule("A", "password.viewed", nil, r.contact("ann"))
	var accepted []string
	for i := range times(10, 200) {
		p := startProcess(t, address, fmt.Sprint("kill", i))
		p.awaitFirst()
		pause(t.Context(), nil, time.Duration(rand.IntN(700))*time.Millisecond)
		p.kill()
		accepted = append(accepted, p.keys()...)
	}
	run(t, r.Service)
	r.untilNothingWaits()
	r.checkCopies(server, accepted)
}

func TestThreeOrbitsShareAQueueAndItsLimits(t *testing.T) {
	t.Parallel()
	address := pgtest.URL(t)
	r := rigOn(t, pgtest.Open(t, address))
	server := newServer(t, nil)
	r.account("info", server.port, asDefault, connections(3))
	limited := newServer(t, nil)
	slow := r.account("slow", limited.port, connections(2), func(s *account.SMTPSettings) { s.MaxMessagesPerMinute = 28 })
	r.rule("A", "password.viewed", nil, r.contact("ann"))
	r.rule("B", "password.changed", func(s *RuleSettings) { s.AccountID = slow.ID }, r.contact("bob"))
	var processes []*process
	for i := range 3 {
		processes = append(processes, startProcess(t, address, fmt.Sprint("shared", i)))
	}
	for range 60 {
		r.post(Event{Type: "password.changed", Data: map[string]any{"credential": "x"}})
	}
	for _, p := range processes {
		p.awaitFirst()
	}
	pause(t.Context(), nil, time.Second)
	processes[0].kill()
	pause(t.Context(), nil, time.Second)
	var accepted []string
	for _, p := range processes {
		p.kill()
		accepted = append(accepted, p.keys()...)
	}
	run(t, r.Service)
	r.until("the messages of the fast account came", func() bool {
		return r.count("select count(*) from delivery where waiting and route_id = 0") == 0
	})
	r.checkCopies(server, accepted)
	if server.most > 3 || limited.most > 2 {
		t.Errorf("%d connections where 3 are allowed, %d where 2 are", server.most, limited.most)
	}
	if n := len(limited.all()); n == 0 || n > 28 {
		t.Errorf("%d messages left in the first minute; 28 are allowed", n)
	}
}

func TestMessagesOutliveTheirDatabaseServer(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(pgtest.TempDir(t), "data")
	db, err := postgres.Start(t.Context(), postgres.Options{DataDir: dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err) // the other tests of this package have a server: a start that fails is a fault
	}
	t.Cleanup(db.Close)
	background, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	go func() { defer close(ended); _ = db.Run(background) }()
	t.Cleanup(func() { stop(); <-ended })
	if err := postgres.Migrate(t.Context(), db.Pool); err != nil {
		t.Fatal(err)
	}
	r := rigOn(t, db.Pool)
	server := newServer(t, nil)
	r.account("info", server.port, asDefault, connections(4))
	r.rule("A", "password.viewed", nil, r.contact("ann"))
	run(t, r.Service)
	posting, endPosting := context.WithCancel(t.Context())
	accepted := make(chan []string)
	go func() { accepted <- r.postUntil(posting) }()
	for range times(2, 20) {
		pause(t.Context(), nil, time.Duration(500+rand.IntN(1000))*time.Millisecond)
		killed := killPostgres(t, dir)
		// Its last backends may answer for a moment: only another server is the database come back.
		r.until("the database is back", func() bool {
			pid, err := postmaster(dir)
			return err == nil && pid != killed && db.Pool.Ping(t.Context()) == nil
		})
	}
	pause(t.Context(), nil, 500*time.Millisecond)
	endPosting()
	keys := <-accepted
	r.untilNothingWaits()
	r.checkCopies(server, keys)
}

// postUntil posts events until ctx ends and returns the keys of those that were accepted.
func (r *rig) postUntil(ctx context.Context) (accepted []string) {
	for i := 0; ctx.Err() == nil; i++ {
		e := viewed("x")
		e.IdempotencyKey = fmt.Sprint("key", i)
		if _, err := r.Post(ctx, e); err == nil {
			accepted = append(accepted, e.IdempotencyKey)
		}
		pause(ctx, nil, 5*time.Millisecond)
	}
	return accepted
}

// killPostgres kills the server of a cluster and returns its process id.
func killPostgres(t testing.TB, dir string) int {
	t.Helper()
	pid, err := postmaster(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	return pid
}

// postmaster is the process id of the server of a cluster.
func postmaster(dir string) (int, error) {
	text, err := os.ReadFile(filepath.Join(dir, "postgres", "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return strconv.Atoi(first)
}
