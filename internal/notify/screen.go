package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"orbit/internal/notify/text"
)

// Notice is a notification on screen.
type Notice struct {
	ID    int64     `json:"id"`
	At    time.Time `json:"at"`
	Type  string    `json:"type"`
	Title string    `json:"title"`
	Text  string    `json:"text"`
	Read  bool      `json:"read"`
}

// Notices returns the newest notifications on the screen of a user, in the language and zone of the user.
func (s *Service) Notices(ctx context.Context, userID int64, most int) ([]Notice, error) {
	type row struct {
		ID        int64      `db:"id"`
		Type      string     `db:"type"`
		Data      []byte     `db:"data"`
		CreatedAt time.Time  `db:"created_at"`
		ReadAt    *time.Time `db:"read_at"`
		Name      string     `db:"name"`
		Language  string     `db:"language"`
		TimeZone  string     `db:"time_zone"`
	}
	rows, err := collect[row](ctx, s.pool, `
		select notification.id, event.type, event.data, event.created_at, read_at,
			coalesce(nullif(full_name, ''), username) as name, language, time_zone
		from notification
		join event on event.id = event_id
		join "user" on "user".id = notification.user_id
		where channel = 'screen' and notification.user_id = @user
		order by notification.id desc
		limit @most`, pgx.NamedArgs{"user": userID, "most": min(most, maxPage)})
	if err != nil {
		return nil, fmt.Errorf("read the notifications on screen: %w", err)
	}
	all := make([]Notice, len(rows))
	for i, r := range rows {
		all[i] = Notice{ID: r.ID, At: r.CreatedAt, Type: r.Type, Read: r.ReadAt != nil}
		rendered, err := s.renderEvent(ctx, r.Type, r.Data, r.CreatedAt, text.Reader{Language: text.Language(r.Language), Zone: zone(r.TimeZone)}, r.Name)
		if err != nil {
			return nil, err
		}
		all[i].Title, all[i].Text = rendered.Subject, rendered.Text
	}
	return all, nil
}

// renderEvent fills the text of an event in.
func (s *Service) renderEvent(ctx context.Context, name string, data []byte, at time.Time, reader text.Reader, recipient string) (text.Rendered, error) {
	kind, err := s.eventTypeOrBare(ctx, name)
	if err != nil {
		return text.Rendered{}, err
	}
	words, err := s.words(ctx, textKey(name), string(reader.Language))
	if err != nil {
		return text.Rendered{}, err
	}
	h := happened{kind: kind, at: at}
	if err := json.Unmarshal(data, &h.data); err != nil {
		return text.Rendered{}, fmt.Errorf("read an event: %w", err)
	}
	return text.Render(words, s.values(h, recipient, reader.Zone), reader), nil
}

// Unread counts what a user has not seen yet, up to a hundred.
func (s *Service) Unread(ctx context.Context, userID int64) (n int, err error) {
	err = s.pool.QueryRow(ctx, `
		select count(*)
		from (select from notification where channel = 'screen' and user_id = $1 and read_at is null limit 100) unread`, userID).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count the notifications on screen: %w", err)
	}
	return n, nil
}

// MarkRead marks notifications of a user as seen; without ids all of them.
func (s *Service) MarkRead(ctx context.Context, userID int64, ids ...int64) error {
	_, err := s.pool.Exec(ctx, `
		update notification
		set read_at = now()
		where channel = 'screen' and user_id = @user and read_at is null and (@ids::bigint[] is null or id = any(@ids))`,
		pgx.NamedArgs{"user": userID, "ids": ids})
	if err != nil {
		return fmt.Errorf("mark notifications as read: %w", err)
	}
	return nil
}
