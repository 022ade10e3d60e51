package web

import (
	"net/http"

	"orbit/internal/account"
	"orbit/web/page"
	"orbit/web/ui"
)

// enableSMTP and disableSMTP switch an account; disabling the default asks first.
func (s *Server) enableSMTP(w http.ResponseWriter, r *http.Request) error {
	return s.setSMTPActive(w, r, true, " is enabled.")
}

func (s *Server) disableSMTP(w http.ResponseWriter, r *http.Request) error {
	return s.setSMTPActive(w, r, false, " is disabled: nothing is sent through it.")
}

func (s *Server) setSMTPActive(w http.ResponseWriter, r *http.Request, active bool, said string) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	found, err := s.Accounts.FindSMTP(r.Context(), id)
	if err != nil {
		return err
	}
	set := func(w http.ResponseWriter, r *http.Request) error {
		stored, err := s.Accounts.SetSMTPActive(r.Context(), id, active, r.FormValue("accept_no_default") == "yes")
		if err != nil {
			return err
		}
		return s.redirect(w, r, smtpPath, ui.Said(stored.AccountName+said))
	}
	if found.DefaultAccount { // all notifications depend on it
		set = s.confirmed(set)
	}
	return set(w, r)
}

// askDefaultSMTP asks before the default moves, with the password.
func (s *Server) askDefaultSMTP(w http.ResponseWriter, r *http.Request) error {
	return s.askSMTP(w, r, func(a account.SMTP) ui.ConfirmView {
		return ui.ConfirmView{
			Title: "Make " + a.AccountName + " the default account?", Submit: "Make default",
			Text: "From now on notifications leave through this account, as " + a.SenderEmail + ", and not through the present default.",
		}
	}, "/default", true)
}

// makeSMTPDefault moves the default.
func (s *Server) makeSMTPDefault(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	stored, err := s.Accounts.MakeSMTPDefault(r.Context(), id)
	if err != nil {
		return err
	}
	return s.redirect(w, r, smtpPath, ui.Said(stored.AccountName+" is the default account now."))
}

// askDeleteSMTP asks before an account is deleted.
func (s *Server) askDeleteSMTP(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	uses, err := s.Accounts.SMTPUses(r.Context(), id)
	if err != nil {
		return err
	}
	return s.askSMTP(w, r, func(a account.SMTP) ui.ConfirmView {
		v := ui.ConfirmView{
			Title: "Delete SMTP account " + a.AccountName + "?", Submit: "Delete account", Danger: true,
			Text: "The account and the history of its tests are removed. Its credential stays.",
		}
		if why, refused := a.Undeletable(uses); refused {
			v.Refused = why
		}
		return v
	}, "/delete", false)
}

// deleteSMTP deletes an account.
func (s *Server) deleteSMTP(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	found, err := s.Accounts.FindSMTP(r.Context(), id)
	if err != nil {
		return err
	}
	if err := s.Accounts.DeleteSMTP(r.Context(), id); err != nil {
		return err
	}
	return s.redirect(w, r, smtpPath, ui.Said(found.AccountName+" is deleted."))
}

// askSMTP shows a question about an account in a window; action follows the account's own address.
func (s *Server) askSMTP(w http.ResponseWriter, r *http.Request, question func(account.SMTP) ui.ConfirmView, action string, password bool) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	found, err := s.Accounts.FindSMTP(r.Context(), id)
	if err != nil {
		return err
	}
	v := question(found)
	v.Action, v.Back = page.SMTPPath(id)+action, smtpPath
	v.Password = password && s.mustConfirm(r)
	v.Facts = []ui.Fact{{Label: "Server", Value: found.Address()}, {Label: "Sender", Value: found.SenderEmail}}
	return s.window(w, r, http.StatusOK, ui.WindowView{Title: v.Title, Back: smtpPath}, ui.Confirm(v))
}
