package api

import (
	"errors"
	"net/http"
	"slices"

	"orbit/internal/account"
	"orbit/internal/identity"
	"orbit/internal/problem"
	"orbit/internal/vault"
)

const smtpTag = "SMTP accounts"

func (a *api) smtpAccounts() {
	register(a, operation{"list-smtp-accounts", http.MethodGet, "/smtp-accounts", "List SMTP accounts", smtpTag, identity.Auditor, 0}, a.listSMTP)
	register(a, operation{"create-smtp-account", http.MethodPost, "/smtp-accounts", "Register an SMTP account", smtpTag, identity.Administrator, http.StatusCreated}, a.createSMTP)
	register(a, operation{"test-smtp-values", http.MethodPost, "/smtp-accounts/test", "Test values that are not saved", smtpTag, identity.Administrator, 0}, a.testSMTPValues)
	register(a, operation{"show-smtp-account", http.MethodGet, "/smtp-accounts/{id}", "Show an SMTP account", smtpTag, identity.Auditor, 0}, a.showSMTP)
	register(a, operation{"change-smtp-account", http.MethodPatch, "/smtp-accounts/{id}", "Change an SMTP account", smtpTag, identity.Administrator, 0}, a.changeSMTP)
	register(a, operation{"delete-smtp-account", http.MethodDelete, "/smtp-accounts/{id}", "Delete an SMTP account", smtpTag, identity.Administrator, http.StatusNoContent}, a.deleteSMTP)
	register(a, operation{"clone-smtp-account", http.MethodPost, "/smtp-accounts/{id}/clone", "Register a copy of an SMTP account", smtpTag, identity.Administrator, http.StatusCreated}, a.cloneSMTP)
	register(a, operation{"test-smtp-account", http.MethodPost, "/smtp-accounts/{id}/test", "Send a test message", smtpTag, identity.Operator, 0}, a.testSMTP)
	register(a, operation{"list-smtp-tests", http.MethodGet, "/smtp-accounts/{id}/tests", "List the tests of an SMTP account", smtpTag, identity.Auditor, 0}, a.listSMTPTests)
}

// smtpBody is an SMTP account as programs write it. Defaults are those of the form.
type smtpBody struct {
	account.SMTPSettings
	Version         int          `json:"version,omitempty" doc:"The version that was read; absent: whatever is stored"`
	Secret          vault.Secret `json:"secret,omitzero" writeOnly:"true" doc:"The credential's secret; needed once for each new destination"`
	AcceptNoDefault bool         `json:"accept_no_default,omitempty" writeOnly:"true" doc:"Accept that nothing is sent while there is no default account"`
}

func (b smtpBody) change() account.SMTPChange {
	return account.SMTPChange{
		SMTPSettings: b.SMTPSettings, Version: b.Version, Secret: b.Secret, AcceptNoDefault: b.AcceptNoDefault,
	}
}

// IDInput is the id in the path. It is exported because huma reads embedded structs only then.
type IDInput struct {
	ID int64 `path:"id" minimum:"1"`
}

type smtpOutput struct{ Body account.SMTP }

type listSMTPInput struct {
	Page
	ID           int64  `query:"id"`
	Name         string `query:"account_name"`
	Sender       string `query:"sender_email"`
	ReplyTo      string `query:"reply_to_email"`
	ReturnPath   string `query:"return_path_email"`
	Confirmation string `query:"confirmation_email"`
	Active       string `query:"active" enum:"true,false"`
	Sort         string `query:"sort" doc:"id, name, sender, ...; -name descends"`
}

func (i listSMTPInput) filter() account.SMTPFilter {
	return account.SMTPFilter{
		ID: i.ID, Name: i.Name, Sender: i.Sender, ReplyTo: i.ReplyTo, ReturnPath: i.ReturnPath,
		Confirmation: i.Confirmation, Active: either(i.Active), Sort: i.Sort, Page: i.number(), PerPage: i.Limit,
	}
}

type listSMTPOutput struct {
	Body struct {
		Items []account.SMTP `json:"items" nullable:"false"`
		Next  string         `json:"next,omitempty" doc:"Send it as cursor to read on"`
	}
}

func (a *api) listSMTP(c *call, i *listSMTPInput) (*listSMTPOutput, error) {
	rows, total, err := a.Accounts.ListSMTP(c, i.filter())
	if err != nil {
		return nil, err
	}
	output := &listSMTPOutput{}
	output.Body.Items = make([]account.SMTP, len(rows))
	for n, row := range rows {
		output.Body.Items[n] = row.SMTP
	}
	output.Body.Next = i.next(total)
	return output, nil
}

type createSMTPInput struct{ Body partial[smtpBody] }

func (a *api) createSMTP(c *call, i *createSMTPInput) (*smtpOutput, error) {
	body := smtpBody{SMTPSettings: account.NewSMTPSettings()}
	if err := i.Body.over(&body); err != nil {
		return nil, err
	}
	stored, err := a.Accounts.CreateSMTP(c, body.change())
	return &smtpOutput{stored}, err
}

func (a *api) showSMTP(c *call, i *IDInput) (*smtpOutput, error) {
	found, err := a.Accounts.FindSMTP(c, i.ID)
	return &smtpOutput{found}, err
}

type changeSMTPInput struct {
	IDInput
	Body partial[smtpBody]
}

func (a *api) changeSMTP(c *call, i *changeSMTPInput) (*smtpOutput, error) {
	found, err := a.Accounts.FindSMTP(c, i.ID)
	if err != nil {
		return nil, err
	}
	body := smtpBody{SMTPSettings: found.SMTPSettings, Version: found.Version}
	if err := i.Body.over(&body); err != nil {
		return nil, err
	}
	stored, err := a.Accounts.SaveSMTP(c, i.ID, body.change())
	return &smtpOutput{stored}, err
}

func (a *api) deleteSMTP(c *call, i *IDInput) (*struct{}, error) {
	return nil, a.Accounts.DeleteSMTP(c, i.ID)
}

func (a *api) cloneSMTP(c *call, i *IDInput) (*smtpOutput, error) {
	settings, err := a.Accounts.CloneSMTP(c, i.ID)
	if err != nil {
		return nil, err
	}
	stored, err := a.Accounts.CreateSMTP(c, account.SMTPChange{SMTPSettings: settings})
	return &smtpOutput{stored}, err
}

// TestBody is the test window. It is exported because huma reads embedded structs only then.
type TestBody struct {
	To      string `json:"to" doc:"Address that receives the test message"`
	Subject string `json:"subject,omitempty" doc:"Default: TEST MESSAGE!"`
	Message string `json:"message,omitempty" doc:"Default: ATTENTION: THIS IS A TEST MESSAGE!"`
}

func (b TestBody) request() account.SMTPTestRequest {
	return account.SMTPTestRequest{To: b.To, Subject: b.Subject, Message: b.Message}
}

type testSMTPInput struct {
	IDInput
	Body TestBody
}

type testSMTPOutput struct{ Body account.SMTPTest }

func (a *api) testSMTP(c *call, i *testSMTPInput) (*testSMTPOutput, error) {
	request := i.Body.request()
	request.AccountID = i.ID
	test, err := a.Accounts.TestSMTP(c, request, nil)
	return &testSMTPOutput{test}, err
}

type testSMTPValuesInput struct {
	Body struct {
		TestBody
		Account partial[smtpBody] `json:"account" doc:"The account as it would be registered"`
	}
}

func (a *api) testSMTPValues(c *call, i *testSMTPValuesInput) (*testSMTPOutput, error) {
	body := smtpBody{SMTPSettings: account.NewSMTPSettings()}
	if err := i.Body.Account.over(&body); err != nil {
		return nil, err
	}
	request, unsaved := i.Body.request(), body.change()
	request.Unsaved = &unsaved
	test, err := a.Accounts.TestSMTP(c, request, nil)
	return &testSMTPOutput{test}, insideAccount(err)
}

// insideAccount places what is wrong with the account where its fields stand in the body of a test.
func insideAccount(err error) error {
	var invalid problem.Invalid
	if !errors.As(err, &invalid) {
		return err
	}
	placed := slices.Clone(invalid)
	for i, field := range placed {
		if !slices.Contains([]string{"", "to", "subject", "message"}, field.Name) {
			placed[i].Name = "account." + field.Name
		}
	}
	return placed
}

type listSMTPTestsOutput struct {
	Body struct {
		Items []account.SMTPTest `json:"items" nullable:"false"`
	}
}

func (a *api) listSMTPTests(c *call, i *IDInput) (*listSMTPTestsOutput, error) {
	if _, err := a.Accounts.FindSMTP(c, i.ID); err != nil {
		return nil, err
	}
	tests, err := a.Accounts.ListSMTPTests(c, i.ID)
	output := &listSMTPTestsOutput{}
	output.Body.Items = append([]account.SMTPTest{}, tests...)
	return output, err
}
