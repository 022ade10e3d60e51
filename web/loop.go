package web

import (
	"context"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"orbit/internal/account"
	"orbit/internal/identity"
	"orbit/internal/inbox"
	"orbit/web/form"
	"orbit/web/page"
	"orbit/web/ui"
)

// loopForm is what the form of loop tests posts, to be started now or to be repeated.
type loopForm struct {
	SMTPAccountID int64  `form:"smtp_account_id" label:"SMTP account"`
	Address       string `form:"address" label:"Send to"`
	EveryMinutes  int    `form:"every_minutes" label:"Repeat every"`
}

// showLoop shows the loop tests of a mailbox, with the form that starts one.
func (s *Server) showLoop(w http.ResponseWriter, r *http.Request) error {
	mailbox, err := s.pathMailbox(r)
	if err != nil {
		return err
	}
	return s.showLoopPage(w, r, http.StatusOK, mailbox, loopForm{}, &ui.FormView{})
}

func (s *Server) showLoopPage(w http.ResponseWriter, r *http.Request, status int, mailbox account.Mailbox, f loopForm, form *ui.FormView) error {
	v, err := s.loopView(r, mailbox, f, form)
	if err != nil {
		return err
	}
	return s.show(w, r, status, v.Title(), page.Loop(v))
}

func (s *Server) loopView(r *http.Request, mailbox account.Mailbox, f loopForm, form *ui.FormView) (page.LoopView, error) {
	ctx, role := r.Context(), identity.UserFrom(r.Context()).Role
	v := page.LoopView{
		Mailbox: mailbox, Form: form, Clock: s.clock(r), CanStart: role.CanTest(), CanRepeat: role.CanChange(), Names: map[int64]string{},
		Values: page.LoopValues{SMTPAccountID: f.SMTPAccountID, Address: f.Address, EveryMinutes: f.EveryMinutes}, Username: s.credentialUsername(ctx, mailbox.CredentialID),
	}
	form.Action, form.Submit, form.Quiet = page.LoopPath(mailbox.ID), "Start now", true
	if v.CanRepeat {
		form.Extra = page.LoopRepeatButton(page.LoopPath(mailbox.ID) + "/schedule")
	}
	var err error
	if v.Loops, err = s.Inbox.Loops(ctx, mailbox.ID); err != nil {
		return v, err
	}
	if v.Schedules, err = s.Inbox.LoopSchedules(ctx, mailbox.ID); err != nil {
		return v, err
	}
	return v, s.offerSenders(ctx, &v)
}

// offerSenders lists the SMTP accounts that may send; chosen is the one of the newest test, or else the default.
func (s *Server) offerSenders(ctx context.Context, v *page.LoopView) error {
	rows, _, err := s.Accounts.ListSMTP(ctx, account.SMTPFilter{})
	if err != nil {
		return err
	}
	v.Senders = []ui.Option{{Label: "Choose an SMTP account"}}
	var usual int64
	for _, row := range rows {
		v.Names[row.ID] = row.AccountName
		if !row.Active {
			continue
		}
		v.Senders = append(v.Senders, ui.Option{Value: strconv.FormatInt(row.ID, 10), Label: row.AccountName + " (" + row.SenderEmail + ")"})
		if row.DefaultAccount {
			usual = row.ID
		}
	}
	if v.Values.SMTPAccountID == 0 && v.Form.Typed == nil {
		v.Values.SMTPAccountID = usual
		if len(v.Loops) > 0 {
			v.Values.SMTPAccountID, v.Values.Address = v.Loops[0].SMTPAccountID, v.Loops[0].Address
		}
	}
	return nil
}

// startLoop begins a loop test.
func (s *Server) startLoop(w http.ResponseWriter, r *http.Request) error {
	return s.submitLoop(w, r, func(ctx context.Context, mailbox account.Mailbox, f loopForm) (ui.FlashView, error) {
		_, err := s.Inbox.StartLoop(ctx, inbox.LoopRequest{MailboxID: mailbox.ID, SMTPAccountID: f.SMTPAccountID, Address: f.Address})
		return ui.FlashView{}, err
	})
}

// repeatLoop has a loop test repeated; 0 minutes end that.
func (s *Server) repeatLoop(w http.ResponseWriter, r *http.Request) error {
	return s.submitLoop(w, r, func(ctx context.Context, mailbox account.Mailbox, f loopForm) (ui.FlashView, error) {
		if r.PostForm.Get("every_minutes") == "0" {
			return ui.Said("The loop test is not repeated any more."), s.Inbox.EndLoopSchedule(ctx, mailbox.ID, f.SMTPAccountID)
		}
		_, err := s.Inbox.SaveLoopSchedule(ctx, inbox.LoopSchedule{
			MailboxID: mailbox.ID, SMTPAccountID: f.SMTPAccountID, Address: f.Address, EveryMinutes: f.EveryMinutes,
		})
		return ui.Said("The loop test is repeated. The first one begins now."), err
	})
}

func (s *Server) submitLoop(w http.ResponseWriter, r *http.Request, do func(context.Context, account.Mailbox, loopForm) (ui.FlashView, error)) error {
	mailbox, err := s.pathMailbox(r)
	if err != nil {
		return err
	}
	var f loopForm
	typed, wrong, err := form.Read(r, &f)
	if err != nil {
		return err
	}
	var said ui.FlashView
	if err = wrong.Err(); err == nil {
		said, err = do(r.Context(), mailbox, f)
	}
	if err != nil {
		v := &ui.FormView{Typed: typed}
		status, err := refill(v, err)
		if err != nil {
			return err
		}
		return s.showLoopPage(w, r, status, mailbox, f, v)
	}
	return s.redirect(w, r, page.LoopPath(mailbox.ID), said)
}

// loopLook is how often a running loop test is looked at; another process may run it.
const loopLook = 500 * time.Millisecond

// streamLoop sends a loop test each time it gets further, until it has ended.
func (s *Server) streamLoop(w http.ResponseWriter, r *http.Request) error {
	mailbox, err := s.pathMailbox(r)
	if err != nil {
		return err
	}
	id, _ := strconv.ParseInt(r.URL.Query().Get("loop"), 10, 64) // what is no number names nothing
	loop, err := s.Inbox.FindLoop(r.Context(), id)
	if err != nil {
		return err
	}
	events, err := startStream(w, r)
	if err != nil {
		return err
	}
	v := page.LoopView{Mailbox: mailbox, Clock: s.clock(r)}
	if err := s.followLoop(r.Context(), loop, func(seen inbox.Loop) error { return events.send("loop", page.LoopResult(v, seen)) }); err != nil {
		return nil //nolint:nilerr // the answer has begun: the browser sees the stream end and shows what it has
	}
	return events.done()
}

// followLoop calls show for each new state of a loop test, the first and the last included.
func (s *Server) followLoop(ctx context.Context, loop inbox.Loop, show func(inbox.Loop) error) error {
	ticker := time.NewTicker(loopLook)
	defer ticker.Stop()
	for {
		if err := show(loop); err != nil {
			return err
		}
		shown := loop
		for reflect.DeepEqual(shown, loop) {
			if !page.LoopRunning(loop) {
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-ticker.C:
			}
			var err error
			if loop, err = s.Inbox.FindLoop(ctx, loop.ID); err != nil {
				return err
			}
		}
	}
}
