package web

import (
	"encoding/json"
	"strconv"

	"orbit/internal/mail/provider"
	"orbit/web/ui"
)

// providerOptions is the drop-down of providers.
func providerOptions() []ui.Option {
	var options []ui.Option
	for _, p := range provider.Presets() {
		options = append(options, ui.Option{Value: string(p.ID), Label: p.Name})
	}
	return options
}

// fillSMTP is what choosing a provider fills in: the form's fields by name.
func fillSMTP(id provider.ID, server provider.Server) map[string]string {
	fill := map[string]string{"provider": string(id)}
	if server.Host == "" {
		return fill
	}
	fill["smtp_host"], fill["port"] = server.Host, strconv.Itoa(server.Port)
	fill["use_secure_connection"] = ui.YesOrNo(server.Security != "")
	fill["secure_connection_type"] = server.Security
	return fill
}

// presets says the same for every provider, as the browser reads it (static/js/fill.js).
var presets = func() string {
	fills := map[string]map[string]string{}
	for _, p := range provider.Presets() {
		fill := fillSMTP(p.ID, p.SMTP)
		delete(fill, "provider") // the field that asks
		fills[string(p.ID)] = fill
	}
	text, err := json.Marshal(fills)
	if err != nil {
		panic(err) // a map of texts always encodes
	}
	return string(text)
}()
