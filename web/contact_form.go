package web

import (
	"context"
	"net/http"
	"strconv"

	"orbit/internal/identity"
	"orbit/internal/notify"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

// contactForm is what the form of a contact posts.
type contactForm struct {
	Name       string `form:"name" label:"Name"`
	Email      string `form:"email" label:"E-mail"`
	Username   string `form:"username" label:"Username"`
	Department string `form:"department" label:"Department"`
	Language   string `form:"language" label:"Language"`
	TimeZone   string `form:"time_zone" label:"Time zone"`
	UserID     int64  `form:"user_id" label:"User of Orbit"`
	Active     bool   `form:"active" label:"Active"`
	Version    int    `form:"version"`
}

// contact is what was typed.
func (f contactForm) contact() notify.Contact {
	return notify.Contact{
		Name: f.Name, Email: f.Email, Username: f.Username, Department: f.Department, Language: f.Language, TimeZone: f.TimeZone, UserID: f.UserID,
		Active: f.Active, Version: f.Version,
	}
}

func (s *Server) newContact(w http.ResponseWriter, r *http.Request) error {
	return s.showContact(w, r, http.StatusOK, notify.NewContact(), &ui.FormView{})
}

func (s *Server) editContact(w http.ResponseWriter, r *http.Request) error {
	c, err := s.pathContact(r)
	if err != nil {
		return err
	}
	return s.showContact(w, r, http.StatusOK, c, &ui.FormView{})
}

func (s *Server) createContact(w http.ResponseWriter, r *http.Request) error {
	return s.submitContact(w, r, notify.NewContact(), s.Notify.CreateContact)
}

func (s *Server) saveContact(w http.ResponseWriter, r *http.Request) error {
	c, err := s.pathContact(r)
	if err != nil {
		return err
	}
	return s.submitContact(w, r, c, func(ctx context.Context, changed notify.Contact) (notify.Contact, error) {
		return s.Notify.SaveContact(ctx, c.ID, changed)
	})
}

func (s *Server) submitContact(w http.ResponseWriter, r *http.Request, stored notify.Contact, store func(context.Context, notify.Contact) (notify.Contact, error)) error {
	var f contactForm
	typed, wrong, err := form.Read(r, &f)
	if err != nil {
		return err
	}
	if err = wrong.Err(); err == nil {
		var saved notify.Contact
		if saved, err = store(r.Context(), f.contact()); err == nil {
			return s.redirect(w, r, contactsPath, ui.Said("The contact "+saved.Name+" is saved."))
		}
	}
	v := &ui.FormView{Typed: typed}
	status, err := refill(v, err)
	if err != nil {
		return err
	}
	if v.Conflict != nil { // saving again is a decision now
		if stored, err = s.Notify.FindContact(r.Context(), stored.ID); err != nil {
			return err
		}
	}
	return s.showContact(w, r, status, stored, v)
}

func (s *Server) showContact(w http.ResponseWriter, r *http.Request, status int, c notify.Contact, v *ui.FormView) error {
	view := page.ContactView{Title: "New contact", Form: v, Contact: c, Clock: s.clock(r)}
	v.Action, v.Submit, v.Cancel, v.Version = contactsPath, "Save", contactsPath, c.Version
	if c.ID != 0 {
		view.Title, v.Action = c.Name, contactPage(c.ID)
	}
	v.ReadOnly = !identity.UserFrom(r.Context()).Role.CanChange()
	var err error
	if view.Users, err = s.userOptions(r.Context()); err != nil {
		return err
	}
	return s.show(w, r, status, view.Title, page.ContactForm(view))
}

// userOptions lists the users, under the choice that a contact is none of them.
func (s *Server) userOptions(ctx context.Context) ([]ui.Option, error) {
	users, _, err := s.Identity.Users(ctx, identity.UserFilter{})
	if err != nil {
		return nil, err
	}
	options := []ui.Option{{Label: "None"}}
	for _, u := range users {
		options = append(options, ui.Option{Value: strconv.FormatInt(u.ID, 10), Label: u.DisplayName() + " (" + u.Username + ")"})
	}
	return options, nil
}

// groupOfContactsForm is what the form of a group posts.
type groupOfContactsForm struct {
	Name        string  `form:"name" label:"Name"`
	Description string  `form:"description" label:"Description"`
	ContactIDs  []int64 `form:"contacts" label:"Contacts"`
	Version     int     `form:"version"`
}

func (f groupOfContactsForm) detail() notify.GroupDetail {
	return notify.GroupDetail{Group: notify.Group{Name: f.Name, Description: f.Description, Version: f.Version}, ContactIDs: f.ContactIDs}
}

func (s *Server) newContactGroup(w http.ResponseWriter, r *http.Request) error {
	return s.showContactGroup(w, r, http.StatusOK, notify.GroupDetail{}, &ui.FormView{})
}

func (s *Server) editContactGroup(w http.ResponseWriter, r *http.Request) error {
	g, err := s.pathContactGroup(r)
	if err != nil {
		return err
	}
	return s.showContactGroup(w, r, http.StatusOK, g, &ui.FormView{})
}

func (s *Server) createContactGroup(w http.ResponseWriter, r *http.Request) error {
	return s.submitContactGroup(w, r, 0, s.Notify.CreateGroup)
}

func (s *Server) saveContactGroup(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r)
	if err != nil {
		return err
	}
	return s.submitContactGroup(w, r, id, func(ctx context.Context, g notify.GroupDetail) (notify.Group, error) {
		return s.Notify.SaveGroup(ctx, id, g)
	})
}

func (s *Server) submitContactGroup(w http.ResponseWriter, r *http.Request, id int64, store func(context.Context, notify.GroupDetail) (notify.Group, error)) error {
	var f groupOfContactsForm
	typed, wrong, err := form.Read(r, &f)
	if err != nil {
		return err
	}
	if err = wrong.Err(); err == nil {
		var saved notify.Group
		if saved, err = store(r.Context(), f.detail()); err == nil {
			return s.redirect(w, r, contactGroupsPath, ui.Said("The group "+saved.Name+" is saved."))
		}
	}
	v := &ui.FormView{Typed: typed}
	status, err := refill(v, err)
	if err != nil {
		return err
	}
	g := f.detail()
	g.ID = id
	if v.Conflict != nil {
		found, err := s.Notify.FindGroup(r.Context(), id)
		if err != nil {
			return err
		}
		g.Version = found.Version
	}
	return s.showContactGroup(w, r, status, g, v)
}

func (s *Server) showContactGroup(w http.ResponseWriter, r *http.Request, status int, g notify.GroupDetail, v *ui.FormView) error {
	view := page.ContactGroupView{Title: "New group of contacts", Form: v, Group: g.Group, Choose: rulesPath + "/contacts"}
	v.Action, v.Submit, v.Cancel, v.Version = contactGroupsPath, "Save", contactGroupsPath, g.Version
	if g.ID != 0 {
		view.Title, v.Action = g.Name, contactGroupPage(g.ID)
	}
	v.ReadOnly = !identity.UserFrom(r.Context()).Role.CanChange()
	var err error
	if view.Contacts, view.More, err = s.contactChecks(r.Context(), "", g.ContactIDs); err != nil {
		return err
	}
	return s.show(w, r, status, view.Title, page.ContactGroupForm(view))
}
