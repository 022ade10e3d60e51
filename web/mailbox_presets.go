package web

import (
	"encoding/json"
	"strconv"

	"orbit/internal/account"
	"orbit/internal/mail/dial"
	"orbit/internal/mail/fetch"
	"orbit/internal/mail/provider"
	"orbit/web/ui"
)

// The mailbox behind the embedded proxy: the document's values.
const (
	proxyPreset = "proxy"
	proxyHost   = "127.0.0.1"
	proxyPort   = 2993
)

// mailboxPreset is a choice of the provider drop-down: one protocol of one provider.
type mailboxPreset struct {
	key, label string
	protocol   fetch.Protocol
	server     provider.Server
}

// mailboxPresetList has every mailbox that a provider offers, by protocol.
var mailboxPresetList = func() []mailboxPreset {
	var all []mailboxPreset
	for _, p := range provider.Presets() {
		if p.IMAP.Host != "" {
			all = append(all, mailboxPreset{string(p.ID), p.Name + ", IMAP", fetch.IMAP, p.IMAP})
		}
		if p.POP3.Host != "" {
			all = append(all, mailboxPreset{string(p.ID) + "_pop3", p.Name + ", POP3", fetch.POP3, p.POP3})
		}
	}
	return append(all, mailboxPreset{proxyPreset, "Embedded proxy (OAuth 2.0), IMAP", fetch.IMAP, provider.Server{Host: proxyHost, Port: proxyPort}})
}()

func mailboxProviderOptions() []ui.Option {
	options := []ui.Option{{Label: "Other"}}
	for _, p := range mailboxPresetList {
		options = append(options, ui.Option{Value: p.key, Label: p.label})
	}
	return options
}

// mailboxPresetOf is the choice whose server the settings name; "" for any other server.
func mailboxPresetOf(m account.MailboxSettings) string {
	for _, p := range mailboxPresetList {
		if p.protocol == m.Protocol && p.server.Host == m.Address && p.server.Port == m.Port {
			return p.key
		}
	}
	return ""
}

// fillMailbox is what choosing a server fills in: the form's fields by name.
func fillMailbox(protocol fetch.Protocol, server provider.Server) map[string]string {
	fill := map[string]string{
		"address": server.Host, "port": strconv.Itoa(server.Port), "protocol": string(protocol),
		"use_secure_connection": ui.YesOrNo(server.Security != string(dial.Plain)), "secure_connection_type": server.Security,
	}
	return fill
}

// mailboxPresets says the same for every provider, as the browser reads it (static/js/fill.js).
var mailboxPresets = func() string {
	fills := map[string]map[string]string{}
	for _, p := range mailboxPresetList {
		fills[p.key] = fillMailbox(p.protocol, p.server)
	}
	text, err := json.Marshal(fills)
	if err != nil {
		panic(err) // a map of texts always encodes
	}
	return string(text)
}()
