package api

import (
	"context"
	"net/http"

	"orbit/internal/identity"
	"orbit/internal/problem"
	"orbit/internal/proxyhost"
)

const listenerTag = "Proxy listeners"

func (a *api) proxyListeners() {
	register(a, operation{"list-proxy-listeners", http.MethodGet, "/proxy-listeners", "List the local ports of the mail proxy", listenerTag, identity.Auditor, 0}, a.listListeners)
	register(a, operation{"create-proxy-listener", http.MethodPost, "/proxy-listeners", "Open a local port", listenerTag, identity.Administrator, http.StatusCreated}, a.createListener)
	register(a, operation{"show-proxy-listener", http.MethodGet, "/proxy-listeners/{id}", "Show a listener and what the processes do with it", listenerTag, identity.Auditor, 0}, a.showListener)
	register(a, operation{"change-proxy-listener", http.MethodPatch, "/proxy-listeners/{id}", "Change a listener", listenerTag, identity.Administrator, 0}, a.changeListener)
	register(a, operation{"delete-proxy-listener", http.MethodDelete, "/proxy-listeners/{id}", "Delete a listener", listenerTag, identity.Administrator, http.StatusNoContent}, a.deleteListener)
	register(a, operation{"test-proxy-listener", http.MethodPost, "/proxy-listeners/{id}/test", "Go from the local port to the mail server, and with an address sign in there", listenerTag, identity.Operator, 0}, a.testListener)
	register(a, operation{"start-proxy-listener", http.MethodPost, "/proxy-listeners/{id}/start", "Start a listener", listenerTag, identity.Administrator, 0}, a.want(func(p *proxyhost.Service) wanting { return p.Start }))
	register(a, operation{"stop-proxy-listener", http.MethodPost, "/proxy-listeners/{id}/stop", "Stop a listener", listenerTag, identity.Administrator, 0}, a.want(func(p *proxyhost.Service) wanting { return p.Stop }))
	register(a, operation{"restart-proxy-listener", http.MethodPost, "/proxy-listeners/{id}/restart", "Restart a listener", listenerTag, identity.Administrator, 0}, a.want(func(p *proxyhost.Service) wanting { return p.Restart }))
}

// listenerBody is a listener as programs write it. Defaults are those of the form.
type listenerBody struct {
	proxyhost.Settings
	Wanted  proxyhost.Wanted `json:"wanted,omitempty" enum:"running,stopped" doc:"Default: running"`
	Version int              `json:"version,omitempty" doc:"The version that was read; absent: whatever is stored"`
}

func (b listenerBody) change() proxyhost.Change {
	return proxyhost.Change{Settings: b.Settings, Wanted: b.Wanted, Version: b.Version}
}

type listenerOutput struct{ Body proxyhost.Status }

type listListenersOutput struct {
	Body struct {
		Items []proxyhost.Status `json:"items" nullable:"false"`
		Next  string             `json:"next,omitempty"`
	}
}

func (a *api) listListeners(c *call, i *Page) (*listListenersOutput, error) {
	all, err := a.Proxies.Statuses(c)
	if err != nil {
		return nil, err
	}
	output := &listListenersOutput{}
	first := min((i.number()-1)*i.Limit, len(all))
	output.Body.Items = append([]proxyhost.Status{}, all[first:min(first+i.Limit, len(all))]...)
	for n := range output.Body.Items {
		output.Body.Items[n] = whole(output.Body.Items[n])
	}
	output.Body.Next = i.next(len(all))
	return output, nil
}

// whole makes lists of no entries lists.
func whole(s proxyhost.Status) proxyhost.Status {
	if s.Processes == nil {
		s.Processes = []proxyhost.ProcessState{}
	}
	return s
}

// status is a listener with what the processes do with it.
func (a *api) status(c *call, id int64) (*listenerOutput, error) {
	all, err := a.Proxies.Statuses(c)
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if s.ID == id {
			return &listenerOutput{whole(s)}, nil
		}
	}
	return nil, problem.ErrNotFound
}

func (a *api) showListener(c *call, i *IDInput) (*listenerOutput, error) { return a.status(c, i.ID) }

type createListenerInput struct{ Body partial[listenerBody] }

func (a *api) createListener(c *call, i *createListenerInput) (*listenerOutput, error) {
	var body listenerBody
	if err := i.Body.over(&body); err != nil {
		return nil, err
	}
	stored, err := a.Proxies.Create(c, body.change())
	if err != nil {
		return nil, err
	}
	return a.status(c, stored.ID)
}

type changeListenerInput struct {
	IDInput
	Body partial[listenerBody]
}

func (a *api) changeListener(c *call, i *changeListenerInput) (*listenerOutput, error) {
	found, err := a.Proxies.Find(c, i.ID)
	if err != nil {
		return nil, err
	}
	body := listenerBody{Settings: found.Settings, Version: found.Version}
	if err := i.Body.over(&body); err != nil {
		return nil, err
	}
	if _, err := a.Proxies.Save(c, i.ID, body.change()); err != nil {
		return nil, err
	}
	return a.status(c, i.ID)
}

func (a *api) deleteListener(c *call, i *IDInput) (*struct{}, error) {
	return nil, a.Proxies.Delete(c, i.ID, 0)
}

// listenerTest is what a mail program would meet on its way.
type listenerTest struct {
	proxyhost.Trial
	Greeting string `json:"greeting,omitempty" doc:"The first line at the local port"`
}

type testListenerOutput struct{ Body listenerTest }

// testListener answers with the steps; one that failed is the answer, not an error.
func (a *api) testListener(c *call, i *mailboxInput) (*testListenerOutput, error) {
	trial, err := a.Proxies.Test(c, i.ID, i.address(), nil)
	return &testListenerOutput{listenerTest{Trial: trial, Greeting: trial.Greeting()}}, err
}

// wanting is what people want of listeners.
type wanting func(context.Context, ...int64) error

// want answers with the listener; its state follows within a second. The service is asked for only when a request is there.
func (a *api) want(which func(*proxyhost.Service) wanting) func(*call, *IDInput) (*listenerOutput, error) {
	return func(c *call, i *IDInput) (*listenerOutput, error) {
		if err := which(a.Proxies)(c, i.ID); err != nil {
			return nil, err
		}
		return a.status(c, i.ID)
	}
}
