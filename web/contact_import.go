package web

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"orbit/internal/problem"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

// showImport asks for a file of contacts.
func (s *Server) showImport(w http.ResponseWriter, r *http.Request) error {
	return s.showContactImport(w, r, http.StatusOK, page.ImportView{})
}

// importContacts shows what a file would do, and does it when it comes back with "store". What stands in the file
// travels with the form: nothing is kept in between.
func (s *Server) importContacts(w http.ResponseWriter, r *http.Request) error {
	text, err := readFile(r)
	if err != nil {
		return err
	}
	v := page.ImportView{Text: text}
	if strings.TrimSpace(text) == "" {
		v.Problems.Add("text", "Choose a file, or paste its lines.")
		return s.showContactImport(w, r, http.StatusUnprocessableEntity, v)
	}
	if r.PostFormValue("store") == "yes" {
		done, err := s.Notify.ImportContacts(r.Context(), strings.NewReader(text))
		if err == nil {
			return s.redirect(w, r, contactsPath, ui.Said(page.ImportedWords(done)))
		}
		if !errors.As(err, &v.Problems) {
			return err
		}
	}
	preview, err := s.Notify.PreviewContacts(r.Context(), strings.NewReader(text))
	if err != nil {
		return err
	}
	v.Preview = &preview
	status := http.StatusOK
	if v.Problems = append(v.Problems, preview.Mistakes...); len(v.Problems) > 0 {
		status = http.StatusUnprocessableEntity
	}
	return s.showContactImport(w, r, status, v)
}

// readFile returns the lines of a file that was sent, or those that were pasted in its place.
func readFile(r *http.Request) (string, error) {
	if err := r.ParseMultipartForm(maxBody); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		if limit := (*http.MaxBytesError)(nil); errors.As(err, &limit) {
			return "", problem.Refuse("The file is larger than 1 MB: split it.")
		}
		return "", errors.Join(form.ErrMalformed, err)
	}
	file, _, err := r.FormFile("file")
	if err != nil { // none was chosen
		return r.PostFormValue("text"), nil //nolint:nilerr // then the lines count
	}
	defer file.Close()
	content, err := io.ReadAll(file)
	if len(content) == 0 {
		return r.PostFormValue("text"), err
	}
	return string(content), err
}

func (s *Server) showContactImport(w http.ResponseWriter, r *http.Request, status int, v page.ImportView) error {
	v.Action, v.Back = contactsPath+"/import", contactsPath
	return s.show(w, r, status, "Import contacts", page.ContactImport(v))
}
