package notify

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/problem"
)

// Sending is the state that the report gives to a message in a sender's hands; the table keeps the state it had before.
const Sending State = "sending"

// States lists what the report can be filtered by.
var States = []State{Queued, Sending, Retrying, Paused, Sent, Uncertain, Failed, Cancelled, Expired}

// Filter chooses rows of the Sent list. Zero values choose everything.
type Filter struct {
	From, Until time.Time
	Type        string // of the text
	Recipient   string // an address, or how it begins
	State       State
	AccountID   int64
	MessageID   string // with or without angle brackets
	EventID     int64
	RequestID   int64
	After       string // the cursor of the page before
	PerPage     int    // 0: 30
}

// maxPage bounds a page of any report.
const maxPage = 500

// List returns a page of the Sent list, the newest first, and the cursor of the next page; empty: this is the last.
// A page costs the same wherever it is in a list of a million.
func (s *Service) List(ctx context.Context, f Filter) (page []Delivery, next string, err error) {
	q, err := f.query()
	if err != nil {
		return nil, "", err
	}
	if page, err = selectDeliveries(ctx, s.pool, q); err != nil {
		return nil, "", err
	}
	if len(page) == q.most {
		page = page[:q.most-1]
		last := page[len(page)-1]
		next = base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%d", last.CreatedAt.UnixMicro(), last.ID))
	}
	return page, next, nil
}

// listQuery is a filter as SQL.
type listQuery struct {
	where []string
	args  pgx.NamedArgs
	most  int
}

func (q *listQuery) and(condition, name string, value any) {
	q.where = append(q.where, condition)
	if name != "" {
		q.args[name] = value
	}
}

// query writes only the conditions that are asked for, so that each combination has a plan of its own.
func (f Filter) query() (listQuery, error) {
	q := listQuery{args: pgx.NamedArgs{}, most: min(firstNumber(f.PerPage, 30), maxPage) + 1}
	if !f.From.IsZero() {
		q.and("delivery.created_at >= @from", "from", f.From)
	}
	if !f.Until.IsZero() {
		q.and("delivery.created_at < @until", "until", f.Until)
	}
	if f.Type != "" {
		q.and("text_type = @type", "type", f.Type)
	}
	f.addRecipient(&q)
	if f.AccountID != 0 {
		q.and("delivery.smtp_account_id = @account", "account", f.AccountID)
	}
	if f.MessageID != "" {
		q.and("message_id = @message_id", "message_id", "<"+strings.Trim(storable(f.MessageID), "<> ")+">")
	}
	if f.EventID != 0 {
		q.and("(event_id = @event and event_id <> 0 or delivery.id in (select delivery_id from delivery_digest where event_id = @event))", "event", f.EventID)
	}
	if f.RequestID != 0 {
		q.and("access_request_id = @request and access_request_id <> 0", "request", f.RequestID)
	}
	if err := f.addState(&q); err != nil {
		return q, err
	}
	return q, f.addCursor(&q)
}

func (f Filter) addRecipient(q *listQuery) {
	text := strings.ToLower(strings.TrimSpace(storable(f.Recipient)))
	switch {
	case text == "":
	case plausible(text):
		q.and("lower(recipient) = @recipient", "recipient", text)
	default:
		q.and("lower(recipient) like @recipient", "recipient", strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)+"%")
	}
}

// addState writes the state into the statement, so that the planner sees whether the index of the few rows that are
// not sent will do.
func (f Filter) addState(q *listQuery) error {
	switch f.State {
	case "":
	case Sending:
		q.and("state in ('queued', 'retrying', 'uncertain') and waiting and claimed_by is not null", "", nil)
	case Queued, Retrying:
		q.and("state = '"+string(f.State)+"' and claimed_by is null", "", nil)
	case Paused, Sent, Uncertain, Failed, Cancelled, Expired:
		q.and("state = '"+string(f.State)+"'", "", nil)
	default:
		return problem.Invalid{{Name: "state", Text: fmt.Sprintf("There is no state “%s”.", f.State)}}
	}
	return nil
}

func (f Filter) addCursor(q *listQuery) error {
	if f.After == "" {
		return nil
	}
	decoded, err := base64.RawURLEncoding.DecodeString(f.After)
	at, id, found := strings.Cut(string(decoded), ".")
	micros, atErr := strconv.ParseInt(at, 10, 64)
	number, idErr := strconv.ParseInt(id, 10, 64)
	if err != nil || !found || atErr != nil || idErr != nil {
		return problem.Invalid{{Name: "after", Text: "This is not where a page begins; start with the first one."}}
	}
	q.and("(delivery.created_at, delivery.id) < (@after_at, @after_id)", "after_at", time.UnixMicro(micros))
	q.args["after_id"] = number
	return nil
}

// storable makes text from outside fit for a comparison in the database.
func storable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\x00", "\ufffd")
}

// FindDelivery returns one message, or problem.ErrNotFound.
func (s *Service) FindDelivery(ctx context.Context, id int64) (Delivery, error) {
	all, err := selectDeliveries(ctx, s.pool, listQuery{where: []string{"delivery.id = @id"}, args: pgx.NamedArgs{"id": id}, most: 1})
	if err != nil || len(all) == 0 {
		return Delivery{}, firstError(err, problem.ErrNotFound)
	}
	return all[0], nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Budget is what an account may send and has sent.
type Budget struct {
	AccountID      int64      `json:"smtp_account_id"`
	AccountName    string     `json:"account_name"`
	MaxConnections int        `json:"max_connections"`
	Connections    int        `json:"connections"`             // open now, of all processes
	PerMinute      int        `json:"per_minute,omitempty"`    // 0: no limit
	LastMinute     int        `json:"last_minute"`             // sent, when there is a limit
	Waiting        int        `json:"waiting"`                 // due now
	Done           *time.Time `json:"done,omitempty"`          // when the waiting ones will have left, where a limit tells
	BrokenUntil    *time.Time `json:"broken_until,omitempty"`  // the account does not work; it is tried again then
	RestUntil      *time.Time `json:"resting_until,omitempty"` // the server asked for less
	Cause          string     `json:"cause,omitempty"`
}

// Budgets tells of each account that sends how it stands with its limits.
func (s *Service) Budgets(ctx context.Context) ([]Budget, error) {
	r, err := s.currentRoutes(ctx)
	if err != nil {
		return nil, err
	}
	parameters, err := s.settings.Application(ctx)
	if err != nil {
		return nil, err
	}
	used, err := selectUse(ctx, s.pool)
	if err != nil {
		return nil, err
	}
	waiting := map[int64]int{}
	for _, route := range r.ids() {
		waiting[r.expected(route)] += used[route].Waiting
	}
	var all []Budget
	for _, a := range r.accounts {
		most, u, state := limitsOf(a, parameters), used[a.ID], r.states[a.ID]
		b := Budget{
			AccountID: a.ID, AccountName: a.AccountName, MaxConnections: most.connections, Connections: u.Connections,
			PerMinute: most.perMinute, LastMinute: u.Spent, Waiting: waiting[a.ID],
		}
		b.explain(state, r.usable(a))
		b.estimate(time.Now())
		all = append(all, b)
	}
	return all, nil
}

func (b *Budget) explain(state senderState, usable bool) {
	if !usable {
		b.BrokenUntil = state.BrokenUntil
	}
	if state.Resting {
		b.RestUntil = state.RestUntil
	}
	if state.Fault != nil && (!usable || state.Resting) {
		b.Cause = state.Fault.Cause
	}
}

func (b *Budget) estimate(now time.Time) {
	if b.PerMinute == 0 || b.Waiting == 0 {
		return
	}
	rate := max(1, b.PerMinute-limits{perMinute: b.PerMinute}.reserve())
	done := now.Add(time.Duration(max(0, b.Waiting-(rate-b.LastMinute))) * window / time.Duration(rate))
	b.Done = &done
}
