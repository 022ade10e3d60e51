// Package inbox watches mailboxes, remembers what it saw and passes it on.
//
// Each mailbox has one owner among the processes (lease.go). The owner waits for mail (watch.go), pays a visit when
// there may be some (visit.go), reads what it has not seen (intake.go) and stores each message once, together with
// what it leads to (keep.go); only then is it deleted on the server or marked as read. What arrived can be listed,
// shown and acted upon later (service.go, message.go). A loop test sends a message and waits for it here (loop.go).
//
// The promises, and how a killed, frozen or second process cannot break them: docs/decisions/0010.
package inbox

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/mail/ladder"
	"orbit/internal/mail/reply"
)

// Handling says whether somebody took a message.
type Handling string

// What became of messages.
const (
	Taken      Handling = "taken"     // a handler acted upon it
	Nobody     Handling = "nobody"    // it was offered and nobody took it
	TooOld     Handling = "too_old"   // it was there before the account: stored and left alone
	NotHandled Handling = "failed"    // the handler failed; Act tries again
	LoopTest   Handling = "loop_test" // Orbit sent it to itself
)

// Row is a received message as the report shows it.
type Row struct {
	ID             int64           `db:"id" json:"id"`
	AccountID      int64           `db:"mailbox_account_id" json:"account_id"`
	Folder         string          `db:"folder" json:"folder,omitempty"`
	MessageID      string          `db:"message_id" json:"message_id,omitempty"`
	FromAddress    string          `db:"from_address" json:"from"`
	FromName       string          `db:"from_name" json:"from_name,omitempty"`
	Subject        string          `db:"subject" json:"subject"`
	Date           *time.Time      `db:"message_date" json:"date,omitempty"` // that the writer's machine put there
	ReceivedAt     time.Time       `db:"received_at" json:"received_at"`
	StoredAt       time.Time       `db:"stored_at" json:"stored_at"`
	Class          reply.Class     `db:"class" json:"class"`
	Automatic      string          `db:"automatic" json:"automatic,omitempty"` // why it is no person's message
	Answer         reply.Answer    `db:"answer" json:"answer,omitempty"`
	Text           string          `db:"text" json:"text"` // the beginning of what its writer wrote anew
	Size           int64           `db:"size" json:"size"`
	Complete       bool            `db:"complete" json:"complete"`                        // false: too large, only the header was fetched
	Attachments    []Attachment    `db:"attachments" json:"attachments" nullable:"false"` // what is sent along
	Authentication *Authentication `db:"authentication" json:"authentication,omitempty"`  // nil: no server's findings are trusted
	Original       string          `db:"original" json:"original,omitempty"`              // Message-ID of the message of Orbit's that it is about
	Related        string          `db:"related" json:"related,omitempty"`                // what that was: "smtp_test/12"
	Handling       Handling        `db:"handling" json:"handling"`
	Outcome        string          `db:"outcome" json:"outcome,omitempty"` // what it led to, or why not
	Note           string          `db:"note" json:"note,omitempty"`       // what was wrong with its form
}

// Attachment is a summary of what is sent along.
type Attachment struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Size int64  `json:"size"`
}

// Authentication is what the account's authserv-id found out about the sender (RFC 8601).
type Authentication struct {
	Server    string `json:"server"`
	SPF       string `json:"spf,omitempty"`
	DKIM      string `json:"dkim,omitempty"`
	DMARC     string `json:"dmarc,omitempty"`
	Authentic bool   `json:"authentic"` // the server vouches for the address in From
}

// Message is a received message with all that its page shows. It is read again from the stored bytes.
type Message struct {
	Row
	Header []HeaderField `json:"header" nullable:"false"`
	Read   reply.Message `json:"-"` // Body, HTML, Attachments (Part takes their numbers), Bounce, Receipt, Report
}

// HeaderField is one line of the header, decoded.
type HeaderField struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Filter chooses messages; zero values choose everything.
type Filter struct {
	AccountID int64 // 0: of all accounts
	Class     reply.Class
	Handling  Handling
	Search    string // every word must stand in sender, subject or text, in any case
	From      string // a part of the sender's name or address
	Subject   string // a part of it
	Since     time.Time
	Until     time.Time // before
	Cursor    string    // the next of the page before
	Limit     int       // default 100
}

// Visit is what one look into a mailbox brought.
type Visit struct {
	AccountID int64         `json:"account_id"`
	StartedAt time.Time     `json:"started_at"`
	EndedAt   time.Time     `json:"ended_at"`
	Messages  int           `json:"messages"` // in the mailbox
	Found     int           `json:"found"`    // not seen before
	Stored    int           `json:"stored"`
	Known     int           `json:"known"`           // recognised by their content
	TooOld    int           `json:"too_old"`         // of the stored: older than the account, so nobody acts upon them
	Deleted   int           `json:"deleted"`         // on the server
	Failed    int           `json:"failed"`          // could not be read or stored; they are tried again
	Fault     *ladder.Fault `json:"fault,omitempty"` // why the visit ended early
}

// State says what happens with a mailbox.
type State string

// The states.
const (
	Watching State = "watching" // new mail is noticed at once, or at the next look
	Checking State = "checking" // a visit is under way
	Failing  State = "failing"  // the last visit failed; the next one is at NextAttempt
	Unowned  State = "unowned"  // no process has taken it yet
	Manual   State = "manual"   // Automatic check = No
	Disabled State = "disabled"
)

// Health is how a mailbox does.
type Health struct {
	State       State         `json:"state"`
	LastCheck   time.Time     `json:"last_check,omitzero"`
	LastSuccess time.Time     `json:"last_success,omitzero"`
	NextAttempt time.Time     `json:"next_attempt,omitzero"` // of a mailbox that fails
	Failures    int           `json:"failures"`              // in a row
	Fault       *ladder.Fault `json:"fault,omitempty"`       // of the last visit
	Messages    int           `json:"messages"`              // in the mailbox at the last visit
	Idle        bool          `json:"idle"`                  // new mail is noticed at once
	Stored      int           `json:"stored"`                // received messages that Orbit keeps, counted up to 10,000
	StoredMore  bool          `json:"stored_more,omitempty"` // there are more of them
	Unreadable  int           `json:"unreadable"`            // messages that could not be read or stored
	Owner       string        `json:"owner,omitempty"`       // host and process that watch it
}

// Received is a message on its way to the handlers.
type Received struct {
	Row
	Read reply.Message
}

// Handler acts upon received messages: the first one that takes a message has it. It runs in the transaction that
// stores the message, so what it does happens once or not at all; it must not wait for a network. outcome says in a
// sentence what the message led to.
//
// A handler that is a Chooser too is asked for those messages only that concern it; asking costs the database.
type Handler interface {
	Handle(ctx context.Context, tx pgx.Tx, r Received) (outcome string, taken bool, err error)
}

// Chooser tells from a message alone whether a Handler may want it.
type Chooser interface {
	Concerns(m reply.Message) bool
}
