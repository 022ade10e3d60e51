package approval

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/notify"
	"orbit/internal/notify/text"
)

// askLevel asks everybody of the request's present level who was not asked yet.
func (s *Service) askLevel(ctx context.Context, tx pgx.Tx, w *Whole) error {
	for i := range w.Approvers {
		a := &w.Approvers[i]
		if a.Level != w.Level || a.NotifiedAt != nil {
			continue
		}
		if err := s.ask(ctx, tx, w, a, "access_request.created.approver"); err != nil {
			return err
		}
	}
	return nil
}

// ask sends an approver the mail that a decision can be made from: by its link, or by an answer. Each mail has
// tokens of its own; those of earlier mails stay good, because people answer the mail that they find first.
func (s *Service) ask(ctx context.Context, tx pgx.Tx, w *Whole, a *Approver, textType string) error {
	now := s.now()
	link, reply := newToken(), newToken()
	if err := insertTokens(ctx, tx, *a, w.Level, w.ExpiresAt, hash(link), hash(reply)); err != nil {
		return err
	}
	if err := markNotified(ctx, tx, a.ID, now); err != nil {
		return err
	}
	a.NotifiedAt = &now
	values := s.values(*w).SetText("APPROVER", a.Name, "RECIPIENT", a.Name)
	page := decisionPage(s.BaseURL, link)
	values.SetLink("APPROVE", page+"?answer=approve").SetLink("REJECT", page+"?answer=reject")
	values["REPLY_HINT"] = text.Value{Set: s.RepliesRead(ctx)}
	m := toApprover(*w, *a, textType, values)
	m.Expires, m.Headers = w.ExpiresAt, []notify.Header{{Name: "References", Value: reference(reply)}}
	m.Confidential, m.Hidden = true, []string{"LINK_APPROVE", "URL_APPROVE", "LINK_REJECT", "URL_REJECT"}
	return s.tell(ctx, tx, *w, m)
}

// tellApprover sends an approver a mail that decides nothing.
func (s *Service) tellApprover(ctx context.Context, tx pgx.Tx, w Whole, a Approver, textType string) error {
	values := s.values(w).SetText("APPROVER", a.Name, "RECIPIENT", a.Name).SetLink("REQUEST", s.page(w))
	values["EMERGENCY_HINT"] = text.Value{Set: w.Emergency}
	return s.tell(ctx, tx, w, toApprover(w, a, textType, values))
}

func toApprover(w Whole, a Approver, textType string, values text.Values) notify.Message {
	values["TIME_ZONE"] = text.Value{Text: a.TimeZone}
	return notify.Message{To: a.Email, Name: a.Name, Language: a.Language, TimeZone: a.TimeZone, TextType: textType, Values: values, AccessRequestID: w.ID}
}

// tellRequester tells who asked. They need not be users of Orbit, so there is no link.
func (s *Service) tellRequester(ctx context.Context, tx pgx.Tx, w Whole, textType string, last Decision) error {
	values := s.values(w).SetText("RECIPIENT", w.RequesterName, "ANSWERED_BY", last.ApproverName, "ANSWER_JUSTIFICATION", last.Justification)
	values["ANSWER_DATE"], values["TIME_ZONE"] = text.Value{Time: last.DecidedAt}, text.Value{Text: w.RequesterTimeZone}
	return s.tell(ctx, tx, w, notify.Message{
		To: w.RequesterEmail, Name: w.RequesterName, Language: w.RequesterLanguage, TimeZone: w.RequesterTimeZone, TextType: textType, Values: values,
	})
}

func (s *Service) tell(ctx context.Context, tx pgx.Tx, w Whole, m notify.Message) error {
	m.Priority, m.AccessRequestID = notify.Urgent, w.ID
	_, err := s.Notices.SendTx(ctx, tx, m)
	return err
}

// page is where those who are signed in see a request.
func (s *Service) page(w Whole) string {
	return s.BaseURL.JoinPath("approvals", strconv.FormatInt(w.ID, 10)).String()
}

// values are the tags that every mail about a request may use.
func (s *Service) values(w Whole) text.Values {
	values := text.Values{}.SetText(
		"REQUEST_CODE", w.Code(), "REQUEST_STATUS", w.Status.Label(), "REQUESTER", w.RequesterName, "ACTION", w.Action,
		"DEVICE_HOSTNAME", w.DeviceHostname, "DEVICE_IP", w.DeviceIP, "CREDENTIAL", w.Credential,
		"CREDENTIAL_USERNAME", w.CredentialUsername, "CREDENTIAL_TYPE", w.CredentialType, "REASON", w.Reason,
		"JUSTIFICATION", w.Justification, "GOVERNANCE_ID", w.GovernanceID, "ACTION_LIST_SYSLOG", joined(w.Actions),
	).SetPeriod(w.Start, w.End)
	values["ACTION_LIST"] = text.Value{List: w.Actions}
	values["REQUEST_DATE"], values["EXPIRES"] = text.Value{Time: w.CreatedAt}, text.Value{Time: w.ExpiresAt}
	values["EVENT_TIME"] = text.Value{Time: s.now()}
	if w.Levels > 1 {
		values["LEVEL"] = text.Value{Text: strconv.Itoa(w.Level)}
	}
	return values
}

func joined(actions []string) string {
	all := ""
	for i, a := range actions {
		if i > 0 {
			all += ", "
		}
		all += a
	}
	return all
}

// post tells the rules of what happened; contacts, bells and webhooks hear of it.
func (s *Service) post(ctx context.Context, tx pgx.Tx, w Whole, event string) error {
	data := map[string]any{
		"request_id": w.ID, "request_code": w.Code(), "request_status": w.Status.Label(), "request_date": stamp(w.CreatedAt),
		"requester": w.RequesterName, "requester_email": w.RequesterEmail, "emergency": yesNo(w.Emergency),
		"action": w.Action, "action_list_syslog": joined(w.Actions), "device_hostname": w.DeviceHostname, "device_ip": w.DeviceIP,
		"credential": w.Credential, "credential_username": w.CredentialUsername, "credential_type": w.CredentialType,
		"reason": w.Reason, "justification": w.Justification, "governance_id": w.GovernanceID,
		"start_datetime": stamp(w.Start), "end_datetime": stamp(w.End), "level": w.Level,
		"answered_by": w.EndedBy, "answer_justification": w.EndedBecause,
	}
	if len(w.Actions) > 0 {
		data["action_list"] = w.Actions
	}
	if w.EndedAt != nil {
		data["answer_date"] = stamp(*w.EndedAt)
	}
	for name, value := range data {
		if value == "" {
			delete(data, name)
		}
	}
	_, err := s.Notices.PostTx(ctx, tx, notify.Event{Type: event, Data: data})
	return err
}

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}
