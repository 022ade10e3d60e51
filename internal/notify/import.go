package notify

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"

	"orbit/internal/postgres"
	"orbit/internal/problem"
)

// maxImport bounds a file of contacts.
const maxImport = 10_000

// Imported says what a file of contacts did.
type Imported struct {
	Added, Changed int
}

// ImportContacts reads contacts from CSV with a first line of column names: name, email, username, department,
// language, time_zone, group. An address that is known changes its contact. Everything is stored, or nothing: the
// error lists what is wrong by line.
func (s *Service) ImportContacts(ctx context.Context, r io.Reader) (done Imported, err error) {
	rows, err := readContacts(r)
	if err != nil {
		return Imported{}, err
	}
	defer s.directory.forget()
	err = postgres.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		for _, row := range rows {
			known, err := contactByEmail(ctx, tx, row.contact.Email)
			if err != nil {
				return err
			}
			if known == 0 {
				done.Added++
			} else {
				done.Changed++
			}
			row.contact.ID = known
			stored, err := s.saveContactIn(ctx, tx, row.contact)
			if err != nil {
				return fmt.Errorf("line %d: %w", row.line, err)
			}
			if err := joinGroup(ctx, tx, stored.ID, row.group); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Imported{}, err
	}
	return done, nil
}

// importRow is a line of the file.
type importRow struct {
	line    int
	contact Contact
	group   string
}

var importColumns = []string{"name", "email", "username", "department", "language", "time_zone", "group"}

func readContacts(r io.Reader) ([]importRow, error) {
	file := csv.NewReader(r)
	file.FieldsPerRecord, file.TrimLeadingSpace = -1, true
	head, err := file.Read()
	if err != nil {
		return nil, problem.Invalid{{Name: "file", Text: "This is no CSV file with a first line of column names."}}
	}
	columns, err := importHead(head)
	if err != nil {
		return nil, err
	}
	var wrong problem.Invalid
	var rows []importRow
	for line := 2; len(wrong) < 20; line++ {
		record, err := file.Read()
		if errors.Is(err, io.EOF) {
			return rows, wrong.Err()
		}
		switch {
		case err != nil:
			wrong.Add("file", "Line %d cannot be read: %v.", line, err)
			return nil, wrong.Err()
		case len(rows) >= maxImport:
			wrong.Add("file", "The file has more than %d contacts; split it.", maxImport)
			return nil, wrong.Err()
		}
		row := importLine(columns, record)
		row.line = line
		for _, p := range row.contact.validate() {
			wrong.Add("file", "Line %d, %s: %s", line, p.Name, p.Text)
		}
		rows = append(rows, row)
	}
	return nil, wrong.Err()
}

func importHead(head []string) (map[string]int, error) {
	columns := map[string]int{}
	for i, name := range head {
		columns[strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))] = i
	}
	for _, needed := range []string{"name", "email"} {
		if _, ok := columns[needed]; !ok {
			return nil, problem.Invalid{{Name: "file", Text: "The first line must name the columns; these are known: " + strings.Join(importColumns, ", ") + ". name and email are needed."}}
		}
	}
	return columns, nil
}

func importLine(columns map[string]int, record []string) importRow {
	value := func(name string) string {
		if i, ok := columns[name]; ok && i < len(record) {
			return strings.TrimSpace(record[i])
		}
		return ""
	}
	c := NewContact()
	c.Name, c.Email, c.Username, c.Department = value("name"), value("email"), value("username"), value("department")
	c.Language, c.TimeZone = value("language"), value("time_zone")
	return importRow{contact: c.normal(), group: value("group")}
}
