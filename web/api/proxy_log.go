package api

import (
	"net/http"
	"time"

	"orbit/internal/identity"
	"orbit/internal/proxyhost"
)

// proxyLog is for administrators: its lines have the addresses at which mailboxes are authorised.
func (a *api) proxyLog() {
	register(a, operation{"read-proxy-log", http.MethodGet, "/proxy-log", "Read the log of the mail proxy, the oldest line first", listenerTag, identity.Administrator, 0}, a.readProxyLog)
}

type proxyLogInput struct {
	Account  string    `query:"account" doc:"Only lines about this mailbox"`
	Listener int64     `query:"listener" doc:"Only lines of the listener with this id"`
	Since    time.Time `query:"since" doc:"Only lines from this time on"`
	After    int64     `query:"after" doc:"Only lines behind the one with this id: the first ones, to go on with"`
	Before   int64     `query:"before" doc:"Only lines in front of the one with this id: the last ones, to go back"`
	Limit    int       `query:"limit" minimum:"1" maximum:"1000" default:"200"`
}

type proxyLogOutput struct {
	Body struct {
		Items []proxyhost.Event `json:"items" nullable:"false"`
	}
}

func (a *api) readProxyLog(c *call, i *proxyLogInput) (*proxyLogOutput, error) {
	events, err := a.Proxies.Events(c, proxyhost.EventFilter{
		Account: i.Account, ListenerID: i.Listener, Since: i.Since, After: i.After, Before: i.Before, Limit: i.Limit,
	})
	output := &proxyLogOutput{}
	output.Body.Items = append([]proxyhost.Event{}, events...)
	return output, err
}
