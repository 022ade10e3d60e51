package approval

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// Create stores a request and asks the approvers of its first level. The same idempotency key again returns
// the request that is there. A request that needs no approval is approved at once.
func (s *Service) Create(ctx context.Context, n New) (whole Whole, err error) {
	now := s.now()
	n = n.Normalise(now)
	if err := n.Validate(now).Err(); err != nil {
		return Whole{}, err
	}
	group, err := groupFor(ctx, s.Pool, n)
	if err != nil {
		return Whole{}, err
	}
	// Before the transaction: an invitation writes into the audit trail, which must come last in one.
	wanted, err := s.wanted(ctx, n, group)
	if err != nil {
		return Whole{}, err
	}
	err = postgres.InTx(ctx, s.Pool, func(tx pgx.Tx) error {
		request := newRequest(n, group, now)
		request.CreatedBy = audit.ActorFrom(ctx).Name
		approvers, err := s.approversOf(ctx, tx, n, group, wanted)
		if err != nil {
			return err
		}
		request.Levels = levelsOf(approvers)
		id, stored, err := insertRequest(ctx, tx, request, n.IdempotencyKey)
		if err != nil {
			return err
		}
		if !stored { // the same key
			whole, err = findWhole(ctx, tx, id, false)
			return err
		}
		if err := insertApprovers(ctx, tx, id, approvers); err != nil {
			return err
		}
		if whole, err = findWhole(ctx, tx, id, true); err != nil {
			return err
		}
		return s.begin(ctx, tx, &whole, group)
	})
	return whole, err
}

// groupFor returns the rules of a request.
func groupFor(ctx context.Context, q querier, n New) (Group, error) {
	group := Group{GroupSettings: NewGroup()}
	if n.ApproverGroup != "" {
		var err error
		if group, err = findGroupByName(ctx, q, n.ApproverGroup); err != nil {
			return Group{}, err
		}
		if !group.Active {
			return Group{}, invalid("approver_group", "The approver group %s is not active.", group.Name)
		}
	}
	if group.GovernanceIDRequired && n.GovernanceID == "" {
		return Group{}, invalid("governance_id", "The approver group %s asks for a governance ID: name the ticket or change.", group.Name)
	}
	if n.Emergency && !group.EmergencyAccess {
		return Group{}, invalid("emergency", "There is no emergency access here: ask without it, or choose an approver group that allows it.")
	}
	return group, nil
}

func invalid(field, format string, args ...any) error {
	var wrong problem.Invalid
	wrong.Add(field, format, args...)
	return wrong
}

// newRequest copies the rules of the group into the request.
func newRequest(n New, g Group, now time.Time) Request {
	expires := now.Add(time.Duration(g.ValidityMinutes) * time.Minute)
	if n.End.Before(expires) {
		expires = n.End
	}
	return Request{
		Status: Pending, RequesterName: n.Requester.Name, RequesterEmail: n.Requester.Email,
		RequesterLanguage: n.Requester.Language, RequesterTimeZone: n.Requester.TimeZone, GroupID: g.ID, GroupName: g.Name,
		DeviceHostname: n.DeviceHostname, DeviceIP: n.DeviceIP, Credential: n.Credential, CredentialUsername: n.CredentialUsername,
		CredentialType: n.CredentialType, Action: n.Action, Actions: n.Actions, Reason: n.Reason, Justification: n.Justification,
		GovernanceID: n.GovernanceID, Emergency: n.Emergency, Start: n.Start, End: n.End, Level: 1,
		ApprovalsRequired: g.ApprovalsRequired, RejectionsToCancel: g.RejectionsToCancel, ApproverMayShorten: g.ApproverMayShorten,
		LinkAlone: g.LinkAlone, RelaxedReplies: g.RelaxedReplies, RemindAfterMinutes: g.RemindAfterMinutes,
		EscalateAfterMinutes: g.EscalateAfterMinutes, ExpiresAt: expires, CreatedAt: now,
	}
}

// approversOf finds everybody who may decide: without the requester, and with deputies for those who are away.
// It refuses a request that could never be approved.
func (s *Service) approversOf(ctx context.Context, tx pgx.Tx, n New, g Group, wanted []Person) ([]Approver, error) {
	approvers, err := s.named(ctx, tx, g, wanted)
	if err != nil {
		return nil, err
	}
	if approvers, err = s.deputise(ctx, tx, approvers, n.Requester.Email); err != nil {
		return nil, err
	}
	approvers = slices.DeleteFunc(approvers, func(a Approver) bool { return sameAddress(a.Email, n.Requester.Email) })
	for level := 1; level <= levelsOf(approvers); level++ {
		count := 0
		for _, a := range approvers {
			if a.Level == level {
				count++
			}
		}
		if count < g.ApprovalsRequired {
			return nil, problem.Refuse("%s: %d must approve, but only %d can decide. The requester and people who are not active do not count.",
				levelName(g.ApprovalInLevels, level), g.ApprovalsRequired, count)
		}
	}
	return approvers, nil
}

// wanted returns the people whom the request names.
func (s *Service) wanted(ctx context.Context, n New, g Group) ([]Person, error) {
	names := n.Approvers
	if g.AlwaysAddManager && n.Manager != nil {
		names = append(names, *n.Manager)
	}
	people := make([]Person, 0, len(names))
	for _, w := range names {
		p, err := s.People.Member(ctx, w.Name, w.Email)
		if err != nil {
			return nil, err
		}
		people = append(people, p)
	}
	return people, nil
}

// named returns the members of the group and the people whom the request names, each once.
func (s *Service) named(ctx context.Context, tx pgx.Tx, g Group, wanted []Person) ([]Approver, error) {
	levels := map[int64]int{}
	var people []Person
	if g.ID != 0 {
		ids := make([]int64, 0, len(g.Members))
		for _, m := range g.Members {
			levels[m.UserID] = m.Level
			if m.Level > 1 && !g.ApprovalInLevels {
				levels[m.UserID] = 1
			}
			ids = append(ids, m.UserID)
		}
		var err error
		if people, err = s.People.Persons(ctx, tx, ids); err != nil {
			return nil, err
		}
	}
	for _, p := range wanted {
		if _, there := levels[p.UserID]; !there {
			levels[p.UserID] = 1
			people = append(people, p)
		}
	}
	var approvers []Approver
	for _, p := range people {
		if p.Active && p.Email != "" {
			approvers = append(approvers, Approver{UserID: p.UserID, Name: p.Name, Email: p.Email, Level: levels[p.UserID], Language: p.Language, TimeZone: p.TimeZone})
		}
	}
	slices.SortFunc(approvers, func(a, b Approver) int { return int(a.UserID - b.UserID) })
	return approvers, nil
}

// deputise replaces those who are away. Somebody who decides already, and the requester, replace nobody: then
// who is away stays, because one person must not count twice.
func (s *Service) deputise(ctx context.Context, tx pgx.Tx, approvers []Approver, requester string) ([]Approver, error) {
	ids := make([]int64, len(approvers))
	taken := map[int64]bool{}
	for i, a := range approvers {
		ids[i], taken[a.UserID] = a.UserID, true
	}
	deputies, err := activeDeputies(ctx, tx, ids, s.now())
	if err != nil || len(deputies) == 0 {
		return approvers, err
	}
	people, err := s.People.Persons(ctx, tx, deputyIDs(deputies))
	if err != nil {
		return nil, err
	}
	for i, a := range approvers {
		for _, p := range people {
			if deputies[a.UserID] != p.UserID || taken[p.UserID] || !p.Active || p.Email == "" || sameAddress(p.Email, requester) {
				continue
			}
			taken[p.UserID] = true
			approvers[i] = Approver{UserID: p.UserID, Name: p.Name, Email: p.Email, Level: a.Level, DeputyOf: a.Name, Language: p.Language, TimeZone: p.TimeZone}
		}
	}
	return approvers, nil
}

func deputyIDs(deputies map[int64]int64) []int64 {
	ids := make([]int64, 0, len(deputies))
	for _, id := range deputies {
		ids = append(ids, id)
	}
	return ids
}

func levelsOf(approvers []Approver) int {
	levels := 1
	for _, a := range approvers {
		levels = max(levels, a.Level)
	}
	return levels
}

// begin asks the first level, or grants what needs no approval, and tells everybody.
func (s *Service) begin(ctx context.Context, tx pgx.Tx, w *Whole, g Group) error {
	if w.Emergency || !g.ApprovalRequired {
		return s.grant(ctx, tx, w)
	}
	if err := s.askLevel(ctx, tx, w); err != nil {
		return err
	}
	if err := s.tellRequester(ctx, tx, *w, "access_request.created.requester", Decision{}); err != nil {
		return err
	}
	if err := s.post(ctx, tx, *w, "access_request.created"); err != nil {
		return err
	}
	return s.record(ctx, tx, *w, "access_request.created", map[string]any{"approvers": names(w.Approvers)})
}

// grant approves without asking anybody; the approvers are informed.
func (s *Service) grant(ctx context.Context, tx pgx.Tx, w *Whole) error {
	because := "No approval is required."
	if w.Emergency {
		because = "Emergency access."
	}
	if err := s.end(ctx, tx, w, Approved, "Orbit", because); err != nil {
		return err
	}
	for _, a := range w.Approvers {
		if err := s.tellApprover(ctx, tx, *w, a, "access_request.informed.approver"); err != nil {
			return err
		}
	}
	if err := s.tellRequester(ctx, tx, *w, "access_request.approved.requester", Decision{Justification: because}); err != nil {
		return err
	}
	for _, event := range []string{"access_request.created", "access_request.approved"} {
		if err := s.post(ctx, tx, *w, event); err != nil {
			return err
		}
	}
	return s.record(ctx, tx, *w, "access_request.approved", map[string]any{"because": because, "informed": names(w.Approvers)})
}

func names(approvers []Approver) string {
	all := make([]string, len(approvers))
	for i, a := range approvers {
		all[i] = fmt.Sprintf("%s <%s>", a.Name, a.Email)
	}
	return strings.Join(all, ", ")
}

// record writes the audit entry of a request; it comes last in a transaction.
func (s *Service) record(ctx context.Context, tx pgx.Tx, w Whole, action string, detail map[string]any) error {
	return audit.Record(ctx, tx, audit.Entry{
		Action: action, Object: "access_request", ObjectID: w.ID, ObjectName: w.Code(), Detail: detail,
	})
}
