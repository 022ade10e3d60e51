package notify

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/notify/text"
	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// NewContact returns what an empty form shows.
func NewContact() Contact {
	return Contact{Active: true, Language: string(text.English), TimeZone: "UTC"}
}

// ContactFilter chooses and orders rows of the contacts. Zero values choose everything.
type ContactFilter struct {
	ID                                int64
	Name, Email, Username, Department string // parts of the text, any case
	Search                            string // in any of these
	GroupID                           int64
	Active                            *bool
	Bounced                           bool   // only those whose mail came back
	Sort                              string // "name", "email", ...; "-name" descends
	Page, PerPage                     int    // from 1; PerPage 0: all rows
}

// ListContacts returns a page of contacts and how many match in all.
func (s *Service) ListContacts(ctx context.Context, f ContactFilter) ([]Contact, int, error) {
	return listContacts(ctx, s.pool, f)
}

// FindContact returns a contact, or problem.ErrNotFound.
func (s *Service) FindContact(ctx context.Context, id int64) (Contact, error) {
	return findContact(ctx, s.pool, id)
}

// CreateContact adds a contact.
func (s *Service) CreateContact(ctx context.Context, c Contact) (Contact, error) {
	c.ID, c.Version = 0, 0
	return s.saveContact(ctx, c)
}

// SaveContact changes a contact. A new address, or saving it once more, forgets that mail came back.
func (s *Service) SaveContact(ctx context.Context, id int64, c Contact) (Contact, error) {
	c.ID = id
	return s.saveContact(ctx, c)
}

func (s *Service) saveContact(ctx context.Context, c Contact) (stored Contact, err error) {
	c = c.normal()
	if err := c.validate().Err(); err != nil {
		return Contact{}, err
	}
	defer s.directory.forget()
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) (err error) {
		stored, err = s.saveContactIn(ctx, tx, c)
		return err
	})
	return stored, err
}

func (s *Service) saveContactIn(ctx context.Context, tx pgx.Tx, c Contact) (Contact, error) {
	var before any
	verb := "created"
	if c.ID != 0 {
		was, err := lockContact(ctx, tx, c.ID, c.Version)
		if err != nil {
			return Contact{}, err
		}
		before, verb = was, "changed"
	}
	stored, err := upsertContact(ctx, tx, c, audit.ActorFrom(ctx).Name)
	if err != nil {
		return Contact{}, err
	}
	return stored, audit.Record(ctx, tx, audit.Entry{
		Action: "contact." + verb, Object: "contact", ObjectID: stored.ID, ObjectName: stored.Name, Detail: audit.Changes(before, stored),
	})
}

// DeleteContact removes a contact from all rules and groups. Messages to it stay in the list.
func (s *Service) DeleteContact(ctx context.Context, id int64) error {
	defer s.directory.forget()
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		was, err := lockContact(ctx, tx, id, 0)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "delete from contact where id = $1", id); err != nil {
			return fmt.Errorf("delete contact %d: %w", id, err)
		}
		return audit.Record(ctx, tx, audit.Entry{
			Action: "contact.deleted", Object: "contact", ObjectID: id, ObjectName: was.Name, Detail: audit.Changes(was, nil),
		})
	})
}

func (c Contact) normal() Contact {
	for _, field := range []*string{&c.Name, &c.Email, &c.Username, &c.Department} {
		*field = strings.TrimSpace(*field)
	}
	c.Language = language(c.Language)
	if c.TimeZone == "" {
		c.TimeZone = "UTC"
	}
	return c
}

func (c Contact) validate() problem.Invalid {
	var wrong problem.Invalid
	checkName(&wrong, "name", c.Name)
	if c.Email != "" && !plausible(c.Email) {
		wrong.Add("email", "“%s” is not an e-mail address.", c.Email)
	}
	if c.Email == "" && c.UserID == 0 {
		wrong.Add("email", "Enter an e-mail address, or choose the user whose screen shows the notifications.")
	}
	for field, value := range map[string]string{"username": c.Username, "department": c.Department} {
		if value != "" {
			checkName(&wrong, field, value)
		}
	}
	if zone(c.TimeZone).String() != c.TimeZone {
		wrong.Add("time_zone", "“%s” is not a time zone; enter one such as Europe/Lisbon.", c.TimeZone)
	}
	slices.SortFunc(wrong, func(a, b problem.Field) int { return strings.Compare(a.Name, b.Name) })
	return wrong
}
