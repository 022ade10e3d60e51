package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/go-chi/chi/v5"

	"orbit/internal/approval"
	"orbit/internal/audit"
	"orbit/internal/identity"
	"orbit/internal/problem"
	"orbit/internal/vault"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

// What a decision link in a mail leads to. Mail scanners open every link, so GET and HEAD only show; a post from
// this page decides. Where the group does not let the link alone decide, the approver signs in first.

const decidePath = "/decide"

func pathToken(r *http.Request) vault.Secret { return vault.NewSecret(chi.URLParam(r, "token")) }

// showDecide shows the request of a link.
func (s *Server) showDecide(w http.ResponseWriter, r *http.Request) error {
	whole, approver, err := s.Approvals.Look(r.Context(), pathToken(r))
	if errors.Is(err, problem.ErrNotFound) {
		return s.landNoRequest(w, r)
	}
	if err != nil {
		return err
	}
	if stop, err := s.mayLook(w, r, whole, approver); stop {
		return err
	}
	return s.landDecide(w, r, http.StatusOK, whole, approver, &ui.FormView{})
}

// mayLook lets in who may see the request, and answers everybody else.
func (s *Server) mayLook(w http.ResponseWriter, r *http.Request, whole approval.Whole, approver approval.Approver) (stop bool, err error) {
	w.Header().Set("Referrer-Policy", "no-referrer") // the address is the token
	user := identity.UserFrom(r.Context())
	switch {
	case user.ID == approver.UserID || whole.LinkAlone:
		return false, nil
	case user.ID == 0:
		s.askToSignIn(w, r)
		return true, nil
	}
	return true, s.land(w, r, http.StatusForbidden, ui.LandingView{
		Title: "This request was sent to somebody else", Tone: ui.Warning,
		About: "You are signed in as " + user.DisplayName() + ", but the mail went to " + approver.Name + ". Only they can decide by this link.",
	}, page.LandingLink(ui.Link{Label: "My approvals", Href: approvalsPath}))
}

// asApprover lets the audit trail say who decided where nobody is signed in.
func asApprover(r *http.Request, a approval.Approver) context.Context {
	if identity.UserFrom(r.Context()).ID != 0 {
		return r.Context()
	}
	return audit.WithActor(r.Context(), audit.Actor{Kind: audit.User, ID: a.UserID, Name: a.Name, Address: clientIP(r)})
}

func (s *Server) landNoRequest(w http.ResponseWriter, r *http.Request) error {
	return s.land(w, r, http.StatusNotFound, ui.LandingView{
		Title: "There is no request behind this link", Tone: ui.Warning,
		About: "The address may be incomplete: mail programs break long ones. Open the newest mail again, or look under My approvals.",
	}, page.LandingLink(ui.Link{Label: "My approvals", Href: approvalsPath}))
}

func (s *Server) landDecide(w http.ResponseWriter, r *http.Request, status int, whole approval.Whole, approver approval.Approver, f *ui.FormView) error {
	clock := s.clock(r)
	if identity.UserFrom(r.Context()).ID == 0 {
		clock.Zone = approver.Location()
	}
	f.Action, f.Submit, f.Quiet = r.URL.Path, "Decide", true
	v := page.ApprovalView{
		Whole: whole, Clock: clock, Form: f, Answer: r.FormValue("answer"), Why: s.Approvals.WhyNot(whole, approver), Alone: true,
	}
	v.MayDecide = v.Why == ""
	frame := ui.LandingView{Title: "Access request " + whole.Code(), About: whole.RequesterName + " asks for access.", Wide: true}
	return s.land(w, r, status, frame, page.Approval(v))
}

// decideByLink decides by a link. The request came from this page: another site is refused at the door.
func (s *Server) decideByLink(w http.ResponseWriter, r *http.Request) error {
	whole, approver, err := s.Approvals.Look(r.Context(), pathToken(r))
	if errors.Is(err, problem.ErrNotFound) {
		return s.landNoRequest(w, r)
	}
	if err != nil {
		return err
	}
	if stop, err := s.mayLook(w, r, whole, approver); stop {
		return err
	}
	var f decisionForm
	typed, wrong, err := form.Read(r, &f)
	if err != nil {
		return err
	}
	user, zone := identity.UserFrom(r.Context()), approver.Location()
	if user.ID != 0 {
		zone = user.Location()
	}
	d, unreadable := f.decide(whole, zone, clientIP(r))
	if err = together(wrong, unreadable.Err()); err == nil {
		whole, err = s.Approvals.DecideByLink(asApprover(r, approver), pathToken(r), user.ID, d)
	}
	if err == nil {
		return s.land(w, r, http.StatusOK, ui.LandingView{Title: page.Decided(whole, d.Answer), Tone: ui.Good, About: page.WhatNext(whole)},
			page.LandingLink(ui.Link{Label: "My approvals", Href: approvalsPath}))
	}
	if v := returned(typed, err); v != nil {
		if found, _, lookErr := s.Approvals.Look(r.Context(), pathToken(r)); lookErr == nil {
			whole = found // what somebody else decided meanwhile is shown
		}
		return s.landDecide(w, r, http.StatusUnprocessableEntity, whole, approver, v)
	}
	return err
}
