package idp

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// device is a device flow (RFC 8628) that has begun.
type device struct {
	client   Client
	scopes   []string
	userCode string
	mailbox  string // who consented
	declined bool
	interval time.Duration
	polled   time.Time
}

// startDevice is the device authorization endpoint.
func (p *Provider) startDevice(w http.ResponseWriter, r *http.Request) {
	p.count(func(s *Stats) { s.Device++ })
	if f, ok := p.nextFailure(AtDevice); ok && p.play(w, r, f) {
		return
	}
	answer, err := p.newDevice(r)
	if err != nil {
		p.answerRefusal(w, r, err)
		return
	}
	answerJSON(w, http.StatusOK, answer)
}

func (p *Provider) newDevice(r *http.Request) (map[string]any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	client, ok := p.clients[r.PostFormValue("client_id")]
	if !ok {
		return nil, refuse(unknownClient)
	}
	scopes, err := p.scopes(r.PostFormValue("scope"))
	if err != nil {
		return nil, err
	}
	d := &device{client: client, scopes: scopes, userCode: newUserCode(), interval: p.o.DeviceInterval}
	name := newName() + newName()
	p.devices.put(name, d, deviceLife)
	page := p.o.Issuer + "/device"
	answer := map[string]any{
		"device_code": name, "user_code": d.userCode, "expires_in": int(deviceLife.Seconds()), "interval": max(1, int(d.interval.Seconds())),
	}
	if p.o.Flavour == Google {
		answer["verification_url"] = page
		return answer, nil
	}
	answer["verification_uri"] = page
	answer["verification_uri_complete"] = page + "?" + url.Values{"code": {d.userCode}}.Encode()
	answer["message"] = "To sign in, use a web browser to open the page " + page + " and enter the code " + d.userCode + " to authenticate."
	return answer, nil
}

// newUserCode has no vowels, so it is never a word, and no letter that looks like another (RFC 8628 6.1).
func newUserCode() string {
	const letters = "BCDFGHJKLMNPQRSTVWXZ"
	random := make([]byte, 8)
	_, _ = rand.Read(random) // never fails
	for i, b := range random {
		random[i] = letters[int(b)%len(letters)]
	}
	return string(random[:4]) + "-" + string(random[4:])
}

// byDevice is a poll.
func (p *Provider) byDevice(client Client, form url.Values) (tokens, error) {
	name := form.Get("device_code")
	d, ok := p.devices.get(name)
	if !ok || d.client.ID != client.ID {
		return tokens{}, refuse(deviceOver)
	}
	early := time.Since(d.polled) < d.interval-100*time.Millisecond // the network is not exact
	d.polled = time.Now()
	switch {
	case d.declined:
		p.devices.take(name)
		return tokens{}, refuse(deviceDeclined)
	case d.mailbox != "":
		p.devices.take(name)
		return p.grant(p.family(client, d.mailbox, d.scopes, true), nil, "")
	case early:
		d.interval += 5 * time.Second // RFC 8628 3.5
		return tokens{}, refuse(tooFast)
	}
	return tokens{}, refuse(pending)
}

// deviceByCode finds the flow whose code somebody typed; case and hyphen do not matter.
func (p *Provider) deviceByCode(typed string) (*device, bool) {
	plain := func(text string) string { return strings.NewReplacer("-", "", " ", "").Replace(strings.ToUpper(text)) }
	for name, t := range p.devices.things {
		if plain(t.value.userCode) != plain(typed) {
			continue
		}
		d, ok := p.devices.get(name)
		return d, ok && d.mailbox == "" && !d.declined
	}
	return nil, false
}
