package api

import (
	"net/http"

	"orbit/internal/account"
	"orbit/internal/identity"
	"orbit/internal/mail/fetch"
	"orbit/internal/vault"
)

const mailboxTag = "IMAP/POP3 accounts"

func (a *api) mailboxAccounts() {
	register(a, operation{"list-imap-pop3-accounts", http.MethodGet, "/imap-pop3-accounts", "List IMAP/POP3 accounts", mailboxTag, identity.Auditor, 0}, a.listMailboxes)
	register(a, operation{"create-imap-pop3-account", http.MethodPost, "/imap-pop3-accounts", "Register an IMAP/POP3 account", mailboxTag, identity.Administrator, http.StatusCreated}, a.createMailbox)
	register(a, operation{"test-imap-pop3-values", http.MethodPost, "/imap-pop3-accounts/test", "Test values that are not saved", mailboxTag, identity.Administrator, 0}, a.testMailboxValues)
	register(a, operation{"show-imap-pop3-account", http.MethodGet, "/imap-pop3-accounts/{id}", "Show an IMAP/POP3 account", mailboxTag, identity.Auditor, 0}, a.showMailbox)
	register(a, operation{"change-imap-pop3-account", http.MethodPatch, "/imap-pop3-accounts/{id}", "Change an IMAP/POP3 account", mailboxTag, identity.Administrator, 0}, a.changeMailbox)
	register(a, operation{"delete-imap-pop3-account", http.MethodDelete, "/imap-pop3-accounts/{id}", "Delete an IMAP/POP3 account and what was read from it", mailboxTag, identity.Administrator, http.StatusNoContent}, a.deleteMailbox)
	register(a, operation{"clone-imap-pop3-account", http.MethodPost, "/imap-pop3-accounts/{id}/clone", "Register a copy of an IMAP/POP3 account", mailboxTag, identity.Administrator, http.StatusCreated}, a.cloneMailbox)
	register(a, operation{"test-imap-pop3-account", http.MethodPost, "/imap-pop3-accounts/{id}/test", "Open the mailbox and leave it as it is", mailboxTag, identity.Operator, 0}, a.testMailbox)
	register(a, operation{"list-imap-pop3-tests", http.MethodGet, "/imap-pop3-accounts/{id}/tests", "List the tests of an IMAP/POP3 account", mailboxTag, identity.Auditor, 0}, a.listMailboxTests)
}

// mailboxAccountBody is an IMAP/POP3 account as programs write it. Defaults are those of the form.
type mailboxAccountBody struct {
	account.MailboxSettings
	Version int          `json:"version,omitempty" doc:"The version that was read; absent: whatever is stored"`
	Secret  vault.Secret `json:"secret,omitzero" writeOnly:"true" doc:"The credential's secret; needed once for each new destination"`
}

func (b mailboxAccountBody) change() account.MailboxChange {
	return account.MailboxChange{MailboxSettings: b.MailboxSettings, Version: b.Version, Secret: b.Secret}
}

type mailboxOutput struct{ Body account.Mailbox }

type listMailboxesInput struct {
	Page
	ID        int64  `query:"id"`
	Name      string `query:"account_name"`
	Protocol  string `query:"protocol" enum:"imap,pop3"`
	Secure    string `query:"use_secure_connection" enum:"true,false"`
	Automatic string `query:"automatic_check" enum:"true,false"`
	Keep      string `query:"keep_copy_on_server" enum:"true,false"`
	Active    string `query:"active" enum:"true,false"`
	Sort      string `query:"sort" doc:"id, name, protocol, ...; -name descends"`
}

func (i listMailboxesInput) filter() account.MailboxFilter {
	return account.MailboxFilter{
		ID: i.ID, Name: i.Name, Protocol: fetch.Protocol(i.Protocol), Secure: either(i.Secure),
		AutomaticCheck: either(i.Automatic), KeepCopy: either(i.Keep), Active: either(i.Active),
		Sort: i.Sort, Page: i.number(), PerPage: i.Limit,
	}
}

// either is a filter that may be absent.
func either(text string) *bool {
	if text == "" {
		return nil
	}
	yes := text == "true"
	return &yes
}

type listMailboxesOutput struct {
	Body struct {
		Items []account.Mailbox `json:"items" nullable:"false"`
		Next  string            `json:"next,omitempty" doc:"Send it as cursor to read on"`
	}
}

func (a *api) listMailboxes(c *call, i *listMailboxesInput) (*listMailboxesOutput, error) {
	rows, total, err := a.Accounts.ListMailboxes(c, i.filter())
	if err != nil {
		return nil, err
	}
	output := &listMailboxesOutput{}
	output.Body.Items = make([]account.Mailbox, len(rows))
	for n, row := range rows {
		output.Body.Items[n] = row.Mailbox
	}
	output.Body.Next = i.next(total)
	return output, nil
}

type createMailboxInput struct{ Body partial[mailboxAccountBody] }

func (a *api) createMailbox(c *call, i *createMailboxInput) (*mailboxOutput, error) {
	body := mailboxAccountBody{MailboxSettings: account.NewMailboxSettings()}
	if err := i.Body.over(&body); err != nil {
		return nil, err
	}
	stored, err := a.Accounts.CreateMailbox(c, body.change())
	return &mailboxOutput{stored}, err
}

func (a *api) showMailbox(c *call, i *IDInput) (*mailboxOutput, error) {
	found, err := a.Accounts.FindMailbox(c, i.ID)
	return &mailboxOutput{found}, err
}

type changeMailboxInput struct {
	IDInput
	Body partial[mailboxAccountBody]
}

func (a *api) changeMailbox(c *call, i *changeMailboxInput) (*mailboxOutput, error) {
	found, err := a.Accounts.FindMailbox(c, i.ID)
	if err != nil {
		return nil, err
	}
	body := mailboxAccountBody{MailboxSettings: found.MailboxSettings, Version: found.Version}
	if err := i.Body.over(&body); err != nil {
		return nil, err
	}
	stored, err := a.Accounts.SaveMailbox(c, i.ID, body.change())
	return &mailboxOutput{stored}, err
}

func (a *api) deleteMailbox(c *call, i *IDInput) (*struct{}, error) {
	return nil, a.Accounts.DeleteMailbox(c, i.ID)
}

func (a *api) cloneMailbox(c *call, i *IDInput) (*mailboxOutput, error) {
	settings, err := a.Accounts.CloneMailbox(c, i.ID)
	if err != nil {
		return nil, err
	}
	stored, err := a.Accounts.CreateMailbox(c, account.MailboxChange{MailboxSettings: settings})
	return &mailboxOutput{stored}, err
}

type testMailboxOutput struct{ Body account.MailboxTest }

func (a *api) testMailbox(c *call, i *IDInput) (*testMailboxOutput, error) {
	test, err := a.Accounts.TestMailbox(c, account.MailboxTestRequest{AccountID: i.ID}, nil)
	return &testMailboxOutput{test}, err
}

type testMailboxValuesInput struct {
	Body struct {
		Account partial[mailboxAccountBody] `json:"account" doc:"The account as it would be registered"`
	}
}

func (a *api) testMailboxValues(c *call, i *testMailboxValuesInput) (*testMailboxOutput, error) {
	body := mailboxAccountBody{MailboxSettings: account.NewMailboxSettings()}
	if err := i.Body.Account.over(&body); err != nil {
		return nil, err
	}
	unsaved := body.change()
	test, err := a.Accounts.TestMailbox(c, account.MailboxTestRequest{Unsaved: &unsaved}, nil)
	return &testMailboxOutput{test}, insideAccount(err)
}

type listMailboxTestsOutput struct {
	Body struct {
		Items []account.MailboxTest `json:"items" nullable:"false"`
	}
}

func (a *api) listMailboxTests(c *call, i *IDInput) (*listMailboxTestsOutput, error) {
	if _, err := a.Accounts.FindMailbox(c, i.ID); err != nil {
		return nil, err
	}
	tests, err := a.Accounts.ListMailboxTests(c, i.ID)
	output := &listMailboxTestsOutput{}
	output.Body.Items = append([]account.MailboxTest{}, tests...)
	return output, err
}
