package web_test

import (
	"testing"
	"time"

	"orbit/internal/approval"
	"orbit/internal/identity"
	"orbit/internal/notify"
)

// What the administrator's walk (internal/app) does not pass by.
func TestPagesOfNotifications(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	maria, ben := s.contact("Maria Silva", "maria@example.com"), s.contact("Ben Costa", "ben@example.com")
	if _, err := s.notify.CreateGroup(t.Context(), notify.GroupDetail{Group: notify.Group{Name: "Night shift"}, ContactIDs: []int64{maria.ID, ben.ID}}); err != nil {
		t.Fatal(err)
	}
	hook, _, err := s.notify.CreateWebhook(t.Context(), notify.WebhookSettings{Name: "Access portal", URL: "https://portal.example.com/a/rather/long/path/to/where/orbit/is/heard", Active: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.notify.SaveEventType(t.Context(), notify.EventType{
		Name: "backup.failed", Title: "Backup failed", Category: "Backups", Fields: []notify.Field{{Name: "host", Kind: notify.TextField, Required: true, Sample: "db-01"}},
	}); err != nil {
		t.Fatal(err)
	}
	tab := s.tab(t, "ana")
	tab.Open(contacts + "/groups")
	tab.Check("contact-groups")
	tab.Open(contacts + "/groups/1")
	tab.Check("contact-group")
	tab.Open("/settings/notifications/event-types")
	tab.Check("event-types")
	tab.Open("/settings/notifications/event-types/backup.failed")
	tab.Check("event-type")
	tab.Open(webhooks)
	tab.Check("webhooks")
	tab.Open(webhooks + "/" + id(hook.ID))
	tab.Check("webhook")
	tab.Open(webhooks + "/" + id(hook.ID) + "/secret")
	tab.Follow(`main button[type="submit"]`)
	tab.SeeText("main", "This secret is shown once.")
	tab.Check("webhook-secret")
}

func TestPagesOfApproverGroups(t *testing.T) {
	s := newSite(t)
	s.somebody("ana", identity.Administrator)
	ben, zoe := s.approver("ben"), s.approver("zoe")
	change := approval.GroupChange{GroupSettings: approval.NewGroup(), Members: []approval.Member{{UserID: ben.ID, Level: 1}, {UserID: zoe.ID, Level: approval.Escalation}}}
	change.Name, change.LinkAlone = "Databases", true
	if _, err := s.approvals.CreateGroup(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	if _, err := s.approvals.AddDeputy(t.Context(), approval.Deputy{UserID: ben.ID, DeputyID: zoe.ID, From: s.clock(), Until: s.clock().Add(72 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	tab := s.tab(t, "ana")
	tab.Open("/settings/approver-groups")
	tab.Check("approver-groups")
	tab.Open("/settings/approver-groups/deputies")
	tab.Check("deputies")
}
