package proxy

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"orbit/internal/mail/dial"
)

// A8.2: beyond the limits clients are told so, in their protocol, and hang nowhere.
func TestLimitsAreExplicit(t *testing.T) {
	t.Parallel()
	words := map[Protocol]string{IMAP: `\* BYE \[LIMIT\] .*`, POP3: `-ERR \[SYS/TEMP\] Too many .*`, SMTP: `421 4\.3\.2 Too many .*`}
	limits := map[string]Limits{"sessions": {Sessions: 1}, "address": {PerAddress: 1}}
	for _, protocol := range protocols {
		for name, limit := range limits {
			for _, security := range []dial.Security{dial.Plain, dial.Implicit} {
				t.Run(fmt.Sprintf("%s %s %q", protocol, name, security), func(t *testing.T) {
					t.Parallel()
					l := newUpstream(t, protocol, dial.Implicit, nil).listener()
					l.Limits, l.LocalSecurity = limit, security
					r := newRig(t, newBackend(), l)
					first := r.greeted()
					second := r.connect()
					second.want(words[protocol])
					second.ended()
					_ = first.Close()
					for r.server.Status()[0].Sessions > 0 { // there is room again
					}
					r.greeted().talk(signIns[protocol].text, signIns[protocol].ok)
				})
			}
		}
	}
}

func TestAccountsHaveALimitOfTheirOwn(t *testing.T) {
	t.Parallel()
	l := newUpstream(t, IMAP, dial.Implicit, nil).listener()
	l.Limits.PerAccount = 1
	r := newRig(t, newBackend(), l)
	first, second := r.greeted(), r.greeted()
	first.talk(signIns[IMAP].text, signIns[IMAP].ok)
	second.talk(signIns[IMAP].text, `a NO \[LIMIT\] .*`)
	first.talk("b LOGOUT\r\n", `\* BYE`)
	_ = first.Close()
	r.await(Ended)
	second.talk(signIns[IMAP].text, signIns[IMAP].ok)
}

// Wrong passwords are delayed more and more, for the address and for the name; a right one never waits.
func TestFailuresAreDelayed(t *testing.T) {
	t.Parallel()
	l := newUpstream(t, IMAP, dial.Implicit, nil).listener()
	r := newRig(t, newBackend(), l)
	var mu sync.Mutex
	var delays []int
	r.server.options.Delay = func(n int) time.Duration {
		mu.Lock()
		defer mu.Unlock()
		delays = append(delays, n)
		return 0
	}
	for range 2 {
		c := r.greeted()
		c.talk("a LOGIN user@example.com x\r\n", "a NO .*", "a LOGIN other@example.com x\r\n", "a NO .*", signIns[IMAP].text, signIns[IMAP].ok)
	}
	if got := fmt.Sprint(delays); got != "[1 2 3 4]" {
		t.Errorf("failures counted %s", got)
	}
	p := penalties{counts: make(map[string]penalty)}
	for i := range 3 * maxPenalties {
		p.count(fmt.Sprint("user ", i), time.Now())
	}
	if len(p.counts) > maxPenalties {
		t.Errorf("%d entries", len(p.counts))
	}
	for failures, want := range map[int]time.Duration{0: 0, 1: 250 * time.Millisecond, 4: 2 * time.Second, 1000: 2 * time.Second} {
		if got := defaultDelay(failures); got != want {
			t.Errorf("%d failures: %s", failures, got)
		}
	}
}
