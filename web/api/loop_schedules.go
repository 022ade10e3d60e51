package api

import "orbit/internal/inbox"

type listLoopSchedulesOutput struct {
	Body struct {
		Items []inbox.LoopSchedule `json:"items" nullable:"false"`
	}
}

func (a *api) listLoopSchedules(c *call, i *IDInput) (*listLoopSchedulesOutput, error) {
	if _, err := a.Accounts.FindMailbox(c, i.ID); err != nil {
		return nil, err
	}
	all, err := a.Inbox.LoopSchedules(c, i.ID)
	output := &listLoopSchedulesOutput{}
	output.Body.Items = append([]inbox.LoopSchedule{}, all...)
	return output, err
}

// LoopScheduleInput names what is repeated: a mailbox and the SMTP account that sends to it. It is exported because huma
// reads embedded structs only then.
type LoopScheduleInput struct {
	IDInput
	SMTPAccountID int64 `path:"smtp" minimum:"1"`
}

func (i LoopScheduleInput) schedule(address string, every int) inbox.LoopSchedule {
	return inbox.LoopSchedule{MailboxID: i.ID, SMTPAccountID: i.SMTPAccountID, Address: address, EveryMinutes: every}
}

type repeatLoopInput struct {
	LoopScheduleInput
	Body struct {
		EveryMinutes int    `json:"every_minutes" minimum:"5" maximum:"10080"`
		Address      string `json:"address,omitempty" doc:"Of the mailbox; absent: the username of its credential"`
	}
}

func (a *api) repeatLoop(c *call, i *repeatLoopInput) (*struct{ Body inbox.LoopSchedule }, error) {
	stored, err := a.Inbox.SaveLoopSchedule(c, i.schedule(i.Body.Address, i.Body.EveryMinutes))
	return &struct{ Body inbox.LoopSchedule }{stored}, err
}

func (a *api) endLoopSchedule(c *call, i *LoopScheduleInput) (*struct{}, error) {
	if _, err := a.Accounts.FindMailbox(c, i.ID); err != nil {
		return nil, err
	}
	return nil, a.Inbox.EndLoopSchedule(c, i.ID, i.SMTPAccountID)
}
