package connector

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"orbit/internal/mail/ladder"
)

// scripted answers each look-up with the next of its answers.
type scripted struct {
	mu      sync.Mutex
	answers [][]string
	err     error
	asked   []string
}

func (s *scripted) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, host)
	if s.err != nil {
		return nil, s.err
	}
	var found []netip.Addr
	for _, a := range s.answers[min(len(s.asked), len(s.answers))-1] {
		found = append(found, netip.MustParseAddr(a))
	}
	return found, nil
}

// service returns a Service whose dials are noted and succeed.
func service(t *testing.T, allowed, denied string, answers ...[]string) (*Service, *scripted, *[]string) {
	t.Helper()
	resolver := &scripted{answers: answers}
	s := NewService(nil, rules(t, allowed, denied))
	s.Resolver = resolver
	dialled := &[]string{}
	var mu sync.Mutex
	s.open = func(_ context.Context, to netip.AddrPort) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		*dialled = append(*dialled, to.String())
		return pipe{to: to}, nil
	}
	return s, resolver, dialled
}

// pipe is a connection that only knows where it leads.
type pipe struct {
	net.Conn
	to netip.AddrPort
}

func (p pipe) Close() error         { return nil }
func (p pipe) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(p.to) }

func visit(t *testing.T, s *Service, host string, port int) ([]ladder.Step, error) {
	t.Helper()
	l := ladder.New(nil)
	d, err := s.Dialer(t.Context(), false, 0)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := d.Dial(ladder.With(t.Context(), l), host, port)
	if (conn == nil) != (err != nil) {
		t.Errorf("%v, %v", conn, err)
	}
	return l.Steps(), err
}

func faultOf(t *testing.T, err error) *ladder.Error {
	t.Helper()
	var fault *ladder.Error
	if !errors.As(err, &fault) {
		t.Fatalf("%v is no *ladder.Error", err)
	}
	return fault
}

func TestDirect(t *testing.T) {
	t.Parallel()
	s, resolver, dialled := service(t, "", "", []string{"2001:db8::1", "2001:db8::2", "192.0.2.1", "::ffff:192.0.2.1"})
	steps, err := visit(t, s, "Mail.Example.com.", 587)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(resolver.asked, []string{"mail.example.com"}) || !slices.Equal(*dialled, []string{"[2001:db8::1]:587"}) {
		t.Errorf("asked %v, dialled %v", resolver.asked, *dialled)
	}
	if len(steps) != 2 || steps[0].Name != ladder.Resolve || steps[1].Name != ladder.Connect {
		t.Fatalf("%+v", steps)
	}
	if steps[0].Result != "mail.example.com has 3 addresses: 2001:db8::1, 192.0.2.1, 2001:db8::2" {
		t.Errorf("%q", steps[0].Result)
	}
	if steps[1].Result != "connected to [2001:db8::1]:587" || len(steps[1].Warnings) != 0 {
		t.Errorf("%+v", steps[1])
	}
}

// A name server that answers with a public address while the rules are asked, and with an inner one when the
// connection is made, must gain nothing.
func TestRebindingReachesNothing(t *testing.T) {
	t.Parallel()
	s, resolver, dialled := service(t, "", "", []string{"192.0.2.1"}, []string{"127.0.0.1"}, []string{"169.254.169.254"})
	if _, err := visit(t, s, "rebind.example.com", 587); err != nil {
		t.Fatal(err)
	}
	if len(resolver.asked) != 1 || !slices.Equal(*dialled, []string{"192.0.2.1:587"}) {
		t.Errorf("asked %d times, dialled %v", len(resolver.asked), *dialled)
	}
	if _, err := visit(t, s, "rebind.example.com", 587); err == nil { // the second answer is judged as well
		t.Error("loopback passes")
	}
	if _, err := visit(t, s, "rebind.example.com", 587); err == nil {
		t.Error("metadata passes")
	}
	if len(*dialled) != 1 {
		t.Errorf("dialled %v", *dialled)
	}
}

func TestEveryAddressIsJudged(t *testing.T) {
	t.Parallel()
	s, _, dialled := service(t, "", "10.0.0.0/8", []string{"169.254.169.254", "10.0.0.1", "127.0.0.1", "192.0.2.1", "::1"})
	steps, err := visit(t, s, "mixed.example.com", 25)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(*dialled, []string{"192.0.2.1:25"}) {
		t.Errorf("dialled %v", *dialled)
	}
	if notes := len(steps[1].Transcript); notes != 4 {
		t.Errorf("%d refusals are noted: %+v", notes, steps[1].Transcript)
	}
}

func TestRefusedDestinations(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, host string
		answer     []string
		denied     string
		code       string
		says       []string
	}{
		{"metadata by address", "169.254.169.254", nil, "", "destination_forbidden", []string{"169.254.169.254", "metadata", "Nothing was dialled"}},
		{"metadata by name", "metadata.google.internal", []string{"169.254.169.254"}, "", "destination_forbidden", []string{"metadata.google.internal"}},
		{"loopback", "localhost", []string{"::1", "127.0.0.1"}, "", "destination_not_allowed", []string{"ORBIT_ALLOWED_DESTINATIONS", "add [::1]:2525 to it"}},
		{"mapped loopback", "[::ffff:127.0.0.1]", nil, "", "destination_not_allowed", []string{"add 127.0.0.1:2525 to it"}},
		{"denied network", "relay.example.com", []string{"10.9.8.7"}, "10.0.0.0/8", "destination_not_allowed", []string{"ORBIT_DENIED_DESTINATIONS", "take 10.0.0.0/8 out of it"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, _, dialled := service(t, "", c.denied, c.answer)
			steps, err := visit(t, s, c.host, 2525)
			fault := faultOf(t, err)
			if fault.Step != ladder.Connect || fault.Fault.Code != c.code {
				t.Fatalf("%+v", fault)
			}
			if len(*dialled) != 0 {
				t.Errorf("dialled %v", *dialled)
			}
			for _, s := range c.says {
				if !strings.Contains(fault.Fault.Cause+fault.Fault.Remedy, s) {
					t.Errorf("lacks %q: %s %s", s, fault.Fault.Cause, fault.Fault.Remedy)
				}
			}
			if last := steps[len(steps)-1]; !last.Done || last.Fault == nil {
				t.Errorf("%+v", last)
			}
			var refusal *Refusal
			if !errors.As(err, &refusal) {
				t.Error("the refusal is lost")
			}
		})
	}
}

func TestOwnListenersAreReached(t *testing.T) {
	t.Parallel()
	s, _, dialled := service(t, "", "127.0.0.0/8", []string{"127.0.0.1"})
	s.OwnListener = func(to netip.AddrPort) bool { return to.String() == "127.0.0.1:4465" }
	steps, err := visit(t, s, "127.0.0.1", 4465)
	if err != nil {
		t.Fatal(err)
	}
	if len(steps[1].Warnings) != 0 {
		t.Errorf("the port of an own listener gets a warning: %v", steps[1].Warnings)
	}
	if _, err := visit(t, s, "localhost", 4465); err != nil {
		t.Error(err)
	}
	if _, err := visit(t, s, "127.0.0.1", 4466); err == nil {
		t.Error("another port passes")
	}
	if len(*dialled) != 2 {
		t.Errorf("dialled %v", *dialled)
	}
}

func TestUnusualPortsGetAWarning(t *testing.T) {
	t.Parallel()
	s, _, _ := service(t, "", "", []string{"192.0.2.1"})
	for port, want := range map[int]int{25: 0, 465: 0, 587: 0, 2525: 0, 110: 0, 143: 0, 993: 0, 995: 0, 8025: 1, 22: 1} {
		steps, err := visit(t, s, "mail.example.com", port)
		if err != nil || len(steps[1].Warnings) != want {
			t.Errorf("%d: %v %v", port, steps, err)
		}
	}
}

func TestResolutionFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, host string
		port       int
		err        error
		code       string
	}{
		{"unknown", "nowhere.example", 587, &net.DNSError{Err: "no such host", IsNotFound: true}, "net_name_unknown"},
		{"silent", "mail.example.com", 587, &net.DNSError{Err: "i/o timeout", IsTimeout: true}, "net_dns_silent"},
		{"broken", "mail.example.com", 587, &net.DNSError{Err: "server misbehaving"}, "net_dns_failed"},
		{"no address", "example.com", 587, nil, "net_no_address"},
		{"no host", "https://mail.example.com", 587, nil, "host_invalid"},
		{"no port", "mail.example.com", 0, nil, "host_invalid"},
		{"too high a port", "mail.example.com", 65536, nil, "host_invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, resolver, dialled := service(t, "", "", nil)
			resolver.err = c.err
			steps, err := visit(t, s, c.host, c.port)
			fault := faultOf(t, err)
			if fault.Step != ladder.Resolve || fault.Fault.Code != c.code || len(steps) != 1 || !steps[0].Done {
				t.Errorf("%+v", fault)
			}
			if len(*dialled) != 0 {
				t.Errorf("dialled %v", *dialled)
			}
		})
	}
}

func TestConnectionFaults(t *testing.T) {
	t.Parallel()
	s, _, _ := service(t, "", "", []string{"2001:db8::1", "192.0.2.1"})
	s.open = func(_ context.Context, to netip.AddrPort) (net.Conn, error) {
		if to.Addr().Is6() {
			return nil, &net.OpError{Op: "dial", Err: syscall.ENETUNREACH}
		}
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	steps, err := visit(t, s, "mail.example.com", 587)
	fault := faultOf(t, err)
	if fault.Step != ladder.Connect || fault.Fault.Code != "net_refused" {
		t.Errorf("%+v", fault)
	}
	if len(steps[1].Transcript) != 2 || !strings.Contains(steps[1].Transcript[0].Text, "[2001:db8::1]:587") {
		t.Errorf("%+v", steps[1].Transcript)
	}
}

// Nothing is faked here: a real listener, a real closed port, the machine's own resolver.
func TestRealSockets(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	port := l.Addr().(*net.TCPAddr).Port
	s := NewService(nil, rules(t, "127.0.0.0/8 ::1", ""))
	steps, err := visit(t, s, "localhost", port)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(steps[1].Result, "connected to 127.0.0.1:") {
		t.Errorf("%q", steps[1].Result)
	}
	_, err = visit(t, s, "127.0.0.1", closedPort)
	if fault := faultOf(t, err); fault.Fault.Code != "net_refused" {
		t.Errorf("%+v", fault)
	}
}

func TestAddressesAlternate(t *testing.T) {
	t.Parallel()
	parse := func(all ...string) []netip.Addr {
		var found []netip.Addr
		for _, a := range all {
			found = append(found, netip.MustParseAddr(a))
		}
		return found
	}
	for _, c := range []struct{ in, want []netip.Addr }{
		{nil, nil},
		{parse("192.0.2.1"), parse("192.0.2.1")},
		{parse("2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1"), parse("2001:db8::1", "192.0.2.1", "2001:db8::2", "2001:db8::3")},
		{parse("192.0.2.1", "2001:db8::1", "2001:db8::2"), parse("192.0.2.1", "2001:db8::1", "2001:db8::2")},
		{parse("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1"), parse("192.0.2.1")},
	} {
		if got := arrange(c.in); !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.in, got, c.want)
		}
	}
}
