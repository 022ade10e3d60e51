package web

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"

	"orbit/internal/identity"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

const noticesPath = "/notices"

const (
	fewNotices  = 5   // in the bell
	mostNotices = 100 // on the page
)

// bell is what the bell says: what needs attention, how many requests wait, and how much is unread. Notifications
// themselves are asked for when it is opened. A bell that cannot be asked stays silent; the page is more important.
func (s *Server) bell(r *http.Request, user identity.User) ui.BellView {
	var v ui.BellView
	ctx := r.Context()
	ask := func(what string, f func() error) {
		if err := f(); err != nil {
			s.Log.LogAttrs(ctx, slog.LevelError, "ask what the bell says", slog.String("what", what), slog.Any("error", err))
		}
	}
	if s.Attention != nil && user.Role.CanView() {
		ask("what needs attention", func() (err error) { v.Notices, err = s.Attention(ctx); return err })
	}
	if s.Approvals != nil && !user.Role.CanView() {
		ask("what waits", func() error { return s.addWaiting(ctx, user.ID, &v) })
	}
	if s.Notify != nil {
		v.Newest, v.All = noticesPath+"/newest", noticesPath
		ask("what is unread", func() (err error) { v.Unread, err = s.Notify.Unread(ctx, user.ID); return err })
	}
	return v
}

// addWaiting tells a member how many requests wait for a decision.
func (s *Server) addWaiting(ctx context.Context, userID int64, v *ui.BellView) error {
	waiting, err := s.Approvals.Waiting(ctx, userID)
	if waiting > 0 {
		v.Notices = append(v.Notices, ui.NoticeView{
			Tone: ui.Notice, Href: approvalsPath, Text: ui.Count(waiting, "access request waits", "access requests wait") + " for your decision.",
		})
	}
	return err
}

// newestNotices answers the bell when it is opened.
func (s *Server) newestNotices(w http.ResponseWriter, r *http.Request) error {
	notices, err := s.Notify.Notices(r.Context(), identity.UserFrom(r.Context()).ID, fewNotices)
	if err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, page.NewestNotices(page.NoticesView{Notices: notices, Clock: s.clock(r), All: noticesPath}))
}

// listNotices shows the notifications on the screen of whoever reads.
func (s *Server) listNotices(w http.ResponseWriter, r *http.Request) error {
	notices, err := s.Notify.Notices(r.Context(), identity.UserFrom(r.Context()).ID, mostNotices)
	if err != nil {
		return err
	}
	return s.show(w, r, http.StatusOK, "Notifications", page.Notices(page.NoticesView{Notices: notices, Clock: s.clock(r), All: noticesPath}))
}

// readNotices marks one notification, or all, as read.
func (s *Server) readNotices(w http.ResponseWriter, r *http.Request) error {
	var f struct {
		ID string `form:"id"`
	}
	if _, _, err := form.Read(r, &f); err != nil {
		return err
	}
	var ids []int64
	if id, err := strconv.ParseInt(f.ID, 10, 64); err == nil {
		ids = []int64{id}
	}
	if err := s.Notify.MarkRead(r.Context(), identity.UserFrom(r.Context()).ID, ids...); err != nil {
		return err
	}
	return s.redirect(w, r, noticesPath, ui.FlashView{})
}
