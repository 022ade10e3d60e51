package notify

import (
	"testing"

	"orbit/internal/account"
)

// While no account works, messages still wait for one: the page of the accounts must not say that nothing waits.
func TestMessagesWaitForTheAccountThatShouldSendThem(t *testing.T) {
	t.Parallel()
	var accounts []account.SMTP
	for i := range 3 {
		a := account.SMTP{ID: int64(i + 1)}
		a.DefaultAccount = i == 0
		accounts = append(accounts, a)
	}
	broken := map[int64]senderState{1: {Broken: true}, 2: {Broken: true}, 3: {Broken: true}}
	for _, c := range []struct {
		states      map[int64]senderState
		route, want int64
	}{
		{nil, 0, 1}, {nil, 2, 2}, {nil, -2, 1}, {broken, 0, 1}, {broken, 2, 2}, {broken, -2, 1}, {broken, -1, 0},
	} {
		if got := (routes{accounts, c.states}).expected(c.route); got != c.want {
			t.Errorf("route %d, broken %t: account %d, want %d", c.route, c.states != nil, got, c.want)
		}
	}
}
