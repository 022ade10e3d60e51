package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"

	"orbit/internal/problem"
)

// ImportPreview is what a file of contacts would do.
type ImportPreview struct {
	Imported
	Lines    []ImportLine    // the first of the file
	Mistakes problem.Invalid // by line; with one, nothing is stored
}

// ImportLine is a line of the file.
type ImportLine struct {
	Line    int
	Contact Contact
	Group   string
	Changes bool // the address is known: its contact is changed
}

// maxPreview is how many lines a preview shows.
const maxPreview = 50

// PreviewContacts reads a file as ImportContacts would, and stores nothing.
func (s *Service) PreviewContacts(ctx context.Context, r io.Reader) (p ImportPreview, err error) {
	rows, err := readContacts(r)
	if errors.As(err, &p.Mistakes) {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	seen, err := s.knownEmails(ctx, rows)
	if err != nil {
		return p, err
	}
	for i, row := range rows {
		address := strings.ToLower(row.contact.Email)
		line := ImportLine{Line: row.line, Contact: row.contact, Group: row.group, Changes: seen[address]}
		if line.Changes {
			p.Changed++
		} else {
			p.Added++
		}
		seen[address] = true // a second line with the address changes what the first has added
		if i < maxPreview {
			p.Lines = append(p.Lines, line)
		}
	}
	return p, nil
}

// knownEmails returns which addresses of the lines belong to contacts, in small letters.
func (s *Service) knownEmails(ctx context.Context, lines []importRow) (map[string]bool, error) {
	emails := make([]string, len(lines))
	for i, l := range lines {
		emails[i] = strings.ToLower(l.contact.Email)
	}
	rows, err := s.pool.Query(ctx, "select lower(email) from contact where lower(email) = any($1)", emails)
	if err != nil {
		return nil, fmt.Errorf("look for known contacts: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	known := map[string]bool{}
	for _, email := range found {
		known[email] = true
	}
	return known, err
}
