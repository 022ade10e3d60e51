package notify

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/notify/text"
	"orbit/internal/postgres"
	"orbit/internal/problem"
)

func TestWhoWouldReceiveThis(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.account("info", r.sink.Port, asDefault)
	ann, bob, cyd := r.contact("ann"), r.contact("bob"), r.contact("cyd")
	r.exec("update contact set active = false where id = $1", bob)
	r.exec("update contact set bounced_at = now(), bounce_text = '550 no such user' where id = $1", cyd)
	r.rule("A", "password.viewed", nil, ann, bob, cyd)
	r.rule("B", "password.viewed", func(s *RuleSettings) { s.OnlyContactsWithAccess = true }, ann)
	r.rule("C", "password.viewed", func(s *RuleSettings) { s.Active = false }, ann)
	r.rule("D", "password.viewed", func(s *RuleSettings) { s.OnScreen = true }, ann)
	all, err := r.Simulate(r.ctx, Event{Type: "password.viewed"})
	r.must(err)
	var said []string
	for _, told := range all {
		said = append(said, told.Rule+" "+told.Name+" "+string(told.Channel)+": "+told.Why)
		if told.Told != (told.Rule == "A" && told.Name == "ann") {
			t.Errorf("told %t: %+v", told.Told, told)
		}
		if told.Told && (told.AccountID != a.ID || told.TextType != "password.viewed" || !strings.Contains(told.Subject, "Password viewed")) {
			t.Errorf("%+v", told)
		}
	}
	for _, want := range []string{
		"A ann email: The rule A names this event and this contact.", "A bob email: The contact is disabled.",
		"A cyd email: Mail to cyd@example.net came back for good: 550 no such user", "B ann email: The rule B tells only contacts who have access, and the event does not say who has.",
		"C ann email: The rule C is disabled.", "D ann email: Told already by the rule A.", "D ann screen: The contact is no user of Orbit, so there is no screen.",
	} {
		if !strings.Contains(strings.Join(said, "\n"), want) {
			t.Errorf("nobody says %q:\n%s", want, strings.Join(said, "\n"))
		}
	}
	if n := r.count("select count(*) from event"); n != 0 {
		t.Errorf("a simulation stored %d events", n)
	}
	access := Event{Type: "password.viewed", Access: []string{"ANN"}}
	if all, err = r.Simulate(r.ctx, access); err != nil || len(all) != 7 || !strings.HasPrefix(all[3].Why, "Told already by the rule A") {
		t.Errorf("%+v %v", all, err)
	}
}

func TestTheListFindsMessagesInEveryWay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.account("info", r.sink.Port, asDefault)
	r.rule("A", "password.viewed", nil, r.contact("ann"), r.contact("bob"))
	stop := run(t, r.Service)
	for range 3 {
		r.post(viewed("x"))
	}
	r.untilSent(6)
	stop()
	r.post(viewed("y"))
	one, next, err := r.List(r.ctx, Filter{PerPage: 5})
	r.must(err)
	two, end, err := r.List(r.ctx, Filter{PerPage: 5, After: next})
	r.must(err)
	if len(one) != 5 || len(two) != 3 || end != "" || one[4].ID <= two[0].ID {
		t.Fatalf("%d and %d rows, next %q", len(one), len(two), end)
	}
	for want, f := range map[int]Filter{
		8: {From: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour), Type: "password.viewed"}, 6: {State: Sent}, 2: {State: Queued},
		4: {Recipient: "ANN@example.net"}, 1: {MessageID: strings.Trim(one[0].MessageID, "<>")}, 0: {State: Failed},
	} {
		if found, _, err := r.List(r.ctx, f); err != nil || len(found) != want {
			t.Errorf("%+v: %d rows, %v", f, len(found), err)
		}
	}
	for _, f := range []Filter{{Recipient: "an"}, {AccountID: a.ID}, {State: Sending}, {EventID: one[4].EventID}} {
		if _, _, err := r.List(r.ctx, f); err != nil {
			t.Errorf("%+v: %v", f, err)
		}
	}
	for _, f := range []Filter{{State: "gone"}, {After: "x"}} {
		var wrong problem.Invalid
		if _, _, err := r.List(r.ctx, f); !errors.As(err, &wrong) {
			t.Errorf("%+v: %v", f, err)
		}
	}
	line, err := r.Timeline(r.ctx, two[0].ID)
	r.must(err)
	var kinds []string
	for _, step := range line.Steps {
		kinds = append(kinds, step.Kind)
	}
	if strings.Join(kinds, " ") != "event rule queued attempt ended" || line.Attempts[0].Outcome != AttemptSent || line.Rule != "A" || line.State != Sent {
		t.Errorf("%s: %+v", kinds, line)
	}
	content, err := r.Content(r.ctx, two[0].ID)
	r.must(err)
	if !strings.Contains(content.Text, "A password was viewed.") || !strings.Contains(content.HTML, "<table") || content.Subject != "Password viewed - x" {
		t.Errorf("%+v", content)
	}
	if waiting, err := r.Content(r.ctx, one[0].ID); err != nil || waiting.Subject != "Password viewed - y" {
		t.Errorf("not rendered yet: %+v %v", waiting, err)
	}
}

func TestPeoplePauseResumeRetryAndCancel(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.account("info", r.sink.Port, asDefault)
	r.rule("A", "password.viewed", nil, r.contact("ann"), r.contact("bob"))
	for range 2 {
		r.post(viewed("x"))
	}
	page, _, err := r.List(r.ctx, Filter{})
	r.must(err)
	act := func(action Action, want int, ids ...int64) {
		t.Helper()
		if n, err := r.Act(r.ctx, action, ids); err != nil || n != want {
			t.Errorf("%s: %d, %v; want %d", action, n, err, want)
		}
	}
	act(Pause, 2, page[0].ID, page[1].ID)
	act(Resume, 1, page[0].ID, page[2].ID)
	act(Cancel, 2, page[0].ID, page[1].ID)
	act(Cancel, 0, page[0].ID)
	act(Retry, 1, page[0].ID, page[2].ID)
	if n, err := r.ActAll(r.ctx, Pause, Filter{Recipient: "ann"}); err != nil || n == 0 {
		t.Errorf("pause by filter: %d %v", n, err)
	}
	if _, err := r.ActAll(r.ctx, Resume, Filter{}); err != nil {
		t.Error(err)
	}
	run(t, r.Service)
	r.untilSent(3)
	if _, err := r.Act(r.ctx, "eat", nil); err == nil {
		t.Error("an unknown action was done")
	}
	line, err := r.Timeline(r.ctx, page[0].ID)
	r.must(err)
	if last := line.Steps[len(line.Steps)-1]; line.State != Sent || last.Kind != "ended" {
		t.Errorf("%+v", line.Steps)
	}
}

func TestContactsComeFromAFile(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	done, err := r.ImportContacts(r.ctx, strings.NewReader("\ufeffName,E-mail,email,group,language\nAnn,-,ann@example.net,Night shift,pt\nBob,-,bob@example.net,night shift,\n"))
	if err != nil || done.Added != 2 {
		t.Fatalf("%+v %v", done, err)
	}
	if done, err = r.ImportContacts(r.ctx, strings.NewReader("name,email\nAnn B,ANN@example.net\n")); err != nil || done.Changed != 1 {
		t.Errorf("%+v %v", done, err)
	}
	all, total, err := r.ListContacts(r.ctx, ContactFilter{Name: "ann", PerPage: 10, Sort: "-email"})
	if err != nil || total != 1 || all[0].Name != "Ann B" {
		t.Errorf("%+v %d %v", all, total, err)
	}
	if past, total, err := r.ListContacts(r.ctx, ContactFilter{Name: "ann", PerPage: 10, Page: 3}); err != nil || total != 1 || len(past) != 0 {
		t.Errorf("behind the last page: %+v %d %v", past, total, err)
	}
	groups, err := r.ListGroups(r.ctx)
	if err != nil || len(groups) != 1 || groups[0].Members != 2 {
		t.Errorf("%+v %v", groups, err)
	}
	if _, err = r.ImportContacts(r.ctx, strings.NewReader("name,email\nCyd,cyd\n,x@example.net\n")); err == nil ||
		!strings.Contains(err.Error(), "Line 2, email") || !strings.Contains(err.Error(), "Line 3, name") {
		t.Errorf("%v", err)
	}
	g, err := r.FindGroup(r.ctx, groups[0].ID)
	r.must(err)
	g.ContactIDs, g.Name = g.ContactIDs[:1], "Day shift"
	if saved, err := r.SaveGroup(r.ctx, g.ID, g); err != nil || saved.Members != 1 {
		t.Errorf("%+v %v", saved, err)
	}
	g.Version = 1
	var conflict *problem.Conflict
	if _, err := r.SaveGroup(r.ctx, g.ID, g); !errors.As(err, &conflict) {
		t.Errorf("%v", err)
	}
	r.must(r.DeleteContact(r.ctx, all[0].ID))
	r.must(r.DeleteGroup(r.ctx, g.ID))
}

func TestRulesAreValidated(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, err := r.CreateRule(r.ctx, RuleChange{RuleSettings: RuleSettings{DigestMinutes: -1, QuietFrom: "25:00", ByWebhook: true}, EventTypes: []string{"nothing"}})
	var wrong problem.Invalid
	if !errors.As(err, &wrong) {
		t.Fatal(err)
	}
	for _, field := range []string{"name", "digest_minutes", "quiet_from", "quiet_until", "webhooks", "event_types"} {
		if wrong.For(field) == "" {
			t.Errorf("nothing is said of %s: %v", field, wrong)
		}
	}
	id := r.rule("A", "password.viewed", nil, r.contact("ann"))
	detail, err := r.FindRule(r.ctx, id)
	if err != nil || len(detail.Contacts) != 1 || detail.Contacts[0].Name != "ann" || detail.EventTypes[0].Key != "password.viewed" {
		t.Errorf("%+v %v", detail, err)
	}
	if rules, total, err := r.ListRules(r.ctx, RuleFilter{Name: "a", EventType: "password.viewed", PerPage: 5}); err != nil || total != 1 || rules[0].ID != id {
		t.Errorf("%+v %v", rules, err)
	}
	if past, total, err := r.ListRules(r.ctx, RuleFilter{EventType: "password.viewed", PerPage: 5, Page: 2}); err != nil || total != 1 || len(past) != 0 {
		t.Errorf("behind the last page: %+v %d %v", past, total, err)
	}
	r.must(r.SetRuleActive(r.ctx, id, false))
	if accepted := r.post(viewed("x")); accepted.Notifications != 0 {
		t.Errorf("a disabled rule told somebody: %+v", accepted)
	}
	r.must(r.DeleteRule(r.ctx, id))
	if _, err := r.FindRule(r.ctx, id); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

func TestEventsAreCheckedAgainstTheirType(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for field, e := range map[string]Event{
		"type": {Type: "nothing"}, "data.credential": {Type: "password.viewed"}, "data.colour": {Type: "password.viewed", Data: map[string]any{"credential": "x", "colour": "red"}},
		"reply_to": {Type: "password.viewed", Data: map[string]any{"credential": "x"}, ReplyTo: "a@b\r\nBcc: c@d"},
	} {
		var wrong problem.Invalid
		if _, err := r.Post(r.ctx, e); !errors.As(err, &wrong) || wrong.For(field) == "" {
			t.Errorf("%s: %v", field, err)
		}
	}
	r.must(r.SaveEventType(r.ctx, EventType{Name: "backup.failed", Title: "Backup failed", Category: "Backups", Fields: []Field{{Name: "host", Kind: TextField, Required: true}}}))
	if _, err := r.Post(r.ctx, Event{Type: "backup.failed", Data: map[string]any{"host": "db-1"}}); err != nil {
		t.Error(err)
	}
	if err := r.SaveEventType(r.ctx, EventType{Name: "password.viewed", Title: "x", Category: "y"}); err == nil {
		t.Error("a type of the catalogue was replaced")
	}
	for _, kind := range Catalogue() {
		if _, err := r.Simulate(r.ctx, Event{Type: kind.Name}); err != nil {
			t.Errorf("the samples of %s do not fit it: %v", kind.Name, err)
		}
	}
	r.must(r.DeleteEventType(r.ctx, "backup.failed"))
}

func TestAConfidentialMessageIsSealedAndHidden(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.account("info", r.sink.Port, asDefault)
	const token = "QmVhdXRpZnVsLXRva2VuLWluLWEtbGluaw"
	values := text.Values{}.SetText("REQUESTER", "Ann").SetLink("APPROVE", "https://orbit.example.com/decide/"+token).SetLink("REJECT", "https://orbit.example.com/decide/"+token)
	var id int64
	r.must(postgres.InTx(r.ctx, r.pool, func(tx pgx.Tx) (err error) {
		id, err = r.SendTx(r.ctx, tx, Message{
			To: "bob@example.net", Name: "Bob", TextType: "access_request.created.approver", Values: values, Priority: Urgent,
			Confidential: true, Hidden: []string{token}, AccessRequestID: 7,
		})
		return err
	}))
	before, err := r.Content(r.ctx, id)
	r.must(err)
	run(t, r.Service)
	mail := string(r.sink.Next(t).Data)
	if !strings.Contains(strings.ReplaceAll(mail, "=\r\n", ""), token) {
		t.Errorf("the mail lacks the link:\n%s", mail)
	}
	r.untilSent(1)
	after, err := r.Content(r.ctx, id)
	r.must(err)
	for _, shown := range []text.Rendered{before, after} {
		if strings.Contains(shown.Text+shown.HTML, token) || !strings.Contains(shown.Text, hiddenMark) {
			t.Errorf("the page shows %s", shown.Text)
		}
	}
	if r.Source(r.ctx, id, nil) == nil {
		t.Error("the source is shown")
	}
	dump := scan[string](r, "select string_agg(d::text || encode(coalesce(m.raw, ''), 'escape'), ' ') from delivery d left join delivery_message m on m.delivery_id = d.id")
	if strings.Contains(dump, token) {
		t.Error("the database holds the link in clear")
	}
}

func TestTextsCanBeWrittenAndRestored(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.account("info", r.sink.Port, asDefault)
	r.rule("A", "password.viewed", nil, r.contact("ann"))
	found, err := r.FindText(r.ctx, "password.viewed", text.English)
	r.must(err)
	found.Subject = "Somebody saw [#CREDENTIAL_USERNAME#]"
	if _, err := r.SaveText(r.ctx, found); err != nil {
		t.Fatal(err)
	}
	all, err := r.ListTexts(r.ctx)
	r.must(err)
	own := 0
	for _, row := range all {
		if row.Own {
			own++
		}
	}
	if own != 1 || len(all) < 60 {
		t.Errorf("%d texts, %d own", len(all), own)
	}
	run(t, r.Service)
	r.post(viewed("root"))
	if mail := string(r.sink.Next(t).Data); !strings.Contains(mail, "Subject: Somebody saw root") {
		t.Error(mail)
	}
	if _, err := r.SendSample(r.ctx, Text{Type: "password.viewed", Language: "pt", Subject: "Amostra", Message: "Texto"}, "me@example.net", "Me"); err != nil {
		t.Fatal(err)
	}
	if mail := string(r.sink.Next(t).Data); !strings.Contains(mail, "Subject: Amostra") {
		t.Error(mail)
	}
	found.Message = ""
	if _, err := r.SaveText(r.ctx, found); err == nil {
		t.Error("an empty text was stored")
	}
	r.must(r.RestoreText(r.ctx, "password.viewed", text.English))
}
