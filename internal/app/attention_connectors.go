package app

import (
	"context"
	"strings"

	"orbit/internal/connector"
	"orbit/web/page"
	"orbit/web/ui"
)

// connectorsAttention names the SSH servers whose host key somebody has to look at: they carry nothing.
func (o *Orbit) connectorsAttention(ctx context.Context) ([]ui.NoticeView, error) {
	all, err := o.Connectors.List(ctx)
	if err != nil {
		return nil, err
	}
	var notices []ui.NoticeView
	for _, c := range all {
		switch {
		case !c.Active || c.OfferedFingerprint == "":
		case c.KeyChanged():
			notices = append(notices, ui.NoticeView{
				Tone: ui.Bad, Href: page.ConnectorsPath,
				Text: "The SSH server of network connector " + c.Name + " shows another host key than the confirmed one. Nothing leaves through it.",
			})
		case c.KeyUnconfirmed():
			notices = append(notices, ui.NoticeView{
				Tone: ui.Warning, Href: page.ConnectorsPath,
				Text: "Nobody has confirmed the host key of network connector " + c.Name + ". Nothing leaves through it.",
			})
		}
	}
	return notices, nil
}

func (o *Orbit) findConnectors(ctx context.Context, words string) ([]page.Found, error) {
	all, err := o.Connectors.List(ctx)
	if err != nil {
		return nil, err
	}
	var found []page.Found
	for _, c := range all {
		if c.Kind == connector.KindDirect || !strings.Contains(strings.ToLower(c.Name+" "+c.Address), strings.ToLower(words)) {
			continue
		}
		if len(found) < foundAtMost {
			found = append(found, page.Found{Title: c.Name, Where: "Network connector, " + c.Kind.Words(), Href: page.ConnectorPath(c.ID), Icon: "route"})
		}
	}
	return found, nil
}
