package notify

import (
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"

	"orbit/internal/credential"
	"orbit/internal/notify/text"
	"orbit/internal/postgres"
	"orbit/internal/vault"
)

func TestSecretsAreSealedAgainAfterTheKeysWereRotated(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	box, _, err := credential.OpenBox(r.ctx, r.pool, filepath.Join(t.TempDir(), "keyset.key"))
	r.must(err)
	r.box = box
	r.account("info", r.sink.Port, asDefault)
	hook, secret, err := r.CreateWebhook(r.ctx, WebhookSettings{Name: "Hook", URL: "https://hook.example.com/", Active: true})
	r.must(err)
	const link = "https://orbit.example.com/decide/QmVhdXRpZnVsLXRva2Vu"
	var sent, waiting int64
	invite := func(id *int64) {
		t.Helper()
		r.must(postgres.InTx(r.ctx, r.pool, func(tx pgx.Tx) (err error) {
			*id, err = r.SendTx(r.ctx, tx, Message{
				To: "bob@example.net", TextType: "approver.invited", Values: text.Values{}.SetLink("OPEN", link), Priority: Urgent, Confidential: true,
			})
			return err
		}))
	}
	invite(&sent)
	stop := run(t, r.Service)
	r.untilSent(1)
	stop()
	invite(&waiting)

	r.must(credential.RotateKeys(r.ctx, r.pool, box))
	for _, want := range []int{4, 0} { // the webhook, the values of both messages, the bytes of the one that was rendered
		if n, err := r.Reseal(r.ctx); n != want || err != nil {
			t.Errorf("sealed %d values, %v; want %d", n, err, want)
		}
	}
	sealed := scan[[]byte](r, "select secret from webhook where id = $1", hook.ID)
	if opened, err := box.Open(sealed, webhookPlace(hook.ID, hook.URL)); err != nil || opened.Reveal() != secret.Reveal() || box.NeedsReseal(sealed) {
		t.Errorf("the secret of the webhook: %v", err)
	}
	raw := scan[[]byte](r, "select raw from delivery_message where delivery_id = $1", sent)
	if _, err := box.Open(raw, place(sent, "raw")); err != nil || box.NeedsReseal(vault.Sealed(raw)) {
		t.Errorf("the bytes of the message: %v", err)
	}
	c, err := r.openConfidence(waiting, scan[[]byte](r, "select sealed_values from delivery where id = $1", waiting))
	if err != nil || c.Values["URL_OPEN"].URL != link {
		t.Errorf("%+v %v", c.Values, err)
	}
}
