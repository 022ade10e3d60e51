package account

import (
	"context"
	"errors"
	"strings"
	"testing"

	"orbit/internal/mail/ladder"
)

// climbed tries a way and returns its steps as names.
func climbed(h *house, v Visit, connectorID int64) (string, error) {
	l := ladder.New(nil)
	err := v.To(ladder.With(h.ctx, l), connectorID)
	var names []string
	for _, s := range l.Steps() {
		names = append(names, string(s.Name))
	}
	return strings.Join(names, " "), err
}

// Where nothing proves the server, a secret that was entered for one way does not leave on another; the way is
// tried as far as one gets without.
func TestAPathIsTriedWithoutASecretThatIsNotMeantForIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := h.create(h.change("Relay")) // any certificate is accepted, so the way belongs to the destination
	v, err := h.VisitSMTP(h.ctx, a.ID)
	if err != nil || v.Name != "Relay" || v.Server != a.Address() || v.Uses {
		t.Fatalf("%+v, %v", v, err)
	}
	direct, err := climbed(h, v, 0)
	if err != nil || !strings.HasSuffix(direct, "ehlo auth") {
		t.Errorf("directly: %s, %v", direct, err)
	}
	steps, err := climbed(h, v, 7)
	var fault *ladder.Error
	if !errors.As(err, &fault) || fault.Fault.Code != "credential_not_approved" || fault.Step != ladder.Auth || steps != direct ||
		strings.Contains(fault.Fault.Cause, "<username>") {
		t.Errorf("through another way: %s, %v, %+v", steps, err, fault)
	}
	if _, err := h.VisitSMTP(h.ctx, 4711); err == nil {
		t.Error("an account that is gone is tried")
	}
	ctx, cancel := context.WithCancel(h.ctx)
	cancel()
	if err := v.To(ctx, 0); err == nil {
		t.Error("a visit that was cancelled succeeds")
	}
}
