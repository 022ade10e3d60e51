package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/audit"
	"orbit/internal/notify/text"
	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// TextRow is a text of the report: a type in a language, built in or written here.
type TextRow struct {
	Type     text.Type
	Language text.Language
	Subject  string
	Own      bool // written here
	Active   bool // false: written here and switched off, so the built-in one is used
	Stored   Text // zero: built in
}

// TextTypes returns every type of text: the built-in ones and those of own event types.
func (s *Service) TextTypes(ctx context.Context) ([]text.Type, error) {
	own, err := s.directory.ownTypes(ctx, s.pool)
	if err != nil {
		return nil, err
	}
	all := text.Types()
	for _, name := range sortedKeys(own) {
		all = append(all, ownText(own[name]))
	}
	return all, nil
}

func ownText(t EventType) text.Type {
	fields := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		fields[i] = f.Name
	}
	return text.Own(t.Name, t.Title, fields)
}

// FindTextType returns a type of text, or problem.ErrNotFound.
func (s *Service) FindTextType(ctx context.Context, key string) (text.Type, error) {
	if known, ok := text.Find(key); ok {
		return known, nil
	}
	own, err := s.directory.ownTypes(ctx, s.pool)
	if err != nil {
		return text.Type{}, err
	}
	if t, ok := own[key]; ok {
		return ownText(t), nil
	}
	return text.Type{}, problem.ErrNotFound
}

// ListTexts returns every text, in the order of the types.
func (s *Service) ListTexts(ctx context.Context) ([]TextRow, error) {
	types, err := s.TextTypes(ctx)
	if err != nil {
		return nil, err
	}
	stored, err := selectTexts(ctx, s.pool)
	if err != nil {
		return nil, err
	}
	var all []TextRow
	for _, t := range types {
		for _, l := range text.Languages() {
			row := TextRow{Type: t, Language: l, Subject: text.Builtin(t.Key, l).Subject, Active: true}
			if own, ok := stored[textOf{t.Key, l}]; ok {
				row.Own, row.Active, row.Stored = true, own.Active, own
				if own.Active {
					row.Subject = own.Subject
				}
			}
			all = append(all, row)
		}
	}
	return all, nil
}

// FindText returns a text for the editor: what is stored, or the built-in words as a beginning.
func (s *Service) FindText(ctx context.Context, key string, l text.Language) (Text, error) {
	if _, err := s.FindTextType(ctx, key); err != nil {
		return Text{}, err
	}
	stored, err := findText(ctx, s.pool, key, l)
	if errors.Is(err, problem.ErrNotFound) {
		words := text.Builtin(key, l)
		return Text{Type: key, Language: string(l), Subject: words.Subject, Message: words.Message, Active: true}, nil
	}
	return stored, err
}

// SaveText stores a text. What Lint calls a mistake is refused.
func (s *Service) SaveText(ctx context.Context, t Text) (stored Text, err error) {
	kind, err := s.FindTextType(ctx, t.Type)
	if err != nil {
		return Text{}, err
	}
	t.Language, t.Message = language(t.Language), strings.ReplaceAll(t.Message, "\r\n", "\n")
	if err := lint(kind, t); err != nil {
		return Text{}, err
	}
	defer s.directory.forget()
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		before, err := findText(ctx, tx, t.Type, text.Language(t.Language))
		if ignoreNotFound(err) != nil {
			return err
		}
		if t.Version != 0 && before.Version != t.Version {
			return &problem.Conflict{What: "the text " + kind.Name, Who: before.ChangedBy}
		}
		if stored, err = upsertText(ctx, tx, t, audit.ActorFrom(ctx).Name); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{
			Action: "notification_text.changed", Object: "notification_text", ObjectID: stored.ID, ObjectName: kind.Name + " (" + t.Language + ")",
			Detail: audit.Changes(before, stored),
		})
	})
	return stored, err
}

func lint(kind text.Type, t Text) error {
	var wrong problem.Invalid
	for _, found := range text.Lint(kind, text.Text{Subject: t.Subject, Message: t.Message}) {
		if found.Severity == text.Mistake {
			wrong.Add(found.Field, "%s", found.Text)
		}
	}
	return wrong.Err()
}

// RestoreText goes back to the built-in words.
func (s *Service) RestoreText(ctx context.Context, key string, l text.Language) error {
	defer s.directory.forget()
	return postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		was, err := findText(ctx, tx, key, l)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "delete from notification_text where id = $1", was.ID); err != nil {
			return fmt.Errorf("restore the text %s: %w", key, err)
		}
		return audit.Record(ctx, tx, audit.Entry{
			Action: "notification_text.restored", Object: "notification_text", ObjectID: was.ID, ObjectName: key + " (" + string(l) + ")",
			Detail: audit.Changes(was, nil),
		})
	})
}

// SendSample sends a text with sample values to somebody, as it is in the editor.
func (s *Service) SendSample(ctx context.Context, t Text, to, name string) (int64, error) {
	kind, err := s.FindTextType(ctx, t.Type)
	if err != nil {
		return 0, err
	}
	words := text.Text{Subject: t.Subject, Message: t.Message}
	var id int64
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		id, err = s.SendTx(ctx, tx, Message{
			To: to, Name: name, Language: t.Language, TextType: t.Type, Words: &words, Values: text.Sample(kind, time.Now()), Priority: Urgent,
		})
		return err
	})
	return id, err
}

func selectTexts(ctx context.Context, q querier) (map[textOf]Text, error) {
	rows, err := collect[Text](ctx, q, "select "+textColumns+" from notification_text", nil)
	if err != nil {
		return nil, fmt.Errorf("read the texts: %w", err)
	}
	all := map[textOf]Text{}
	for _, t := range rows {
		all[textOf{t.Type, text.Language(t.Language)}] = t
	}
	return all, nil
}

const textColumns = "id, type, language, subject, message, active, created_at, created_by, changed_at, changed_by, version"

func findText(ctx context.Context, q querier, key string, l text.Language) (Text, error) {
	return one[Text](ctx, q, "text", "select "+textColumns+" from notification_text where type = @type and language = @language",
		pgx.NamedArgs{"type": key, "language": string(l)})
}

func upsertText(ctx context.Context, tx pgx.Tx, t Text, by string) (Text, error) {
	return one[Text](ctx, tx, "text", `
		insert into notification_text (type, language, subject, message, active, created_by, changed_by)
		values (@type, @language, @subject, @message, @active, @by, @by)
		on conflict (type, language) do update
		set subject = excluded.subject, message = excluded.message, active = excluded.active, changed_at = now(), changed_by = @by,
			version = notification_text.version + 1
		returning `+textColumns,
		pgx.NamedArgs{"type": t.Type, "language": t.Language, "subject": t.Subject, "message": t.Message, "active": t.Active, "by": by})
}
