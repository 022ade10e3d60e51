package connector

import (
	"context"
	"errors"
	"strings"
	"testing"

	"orbit/internal/mail/dial"
	"orbit/internal/problem"
)

func TestPathsAreComparedSideBySide(t *testing.T) {
	t.Parallel()
	h, far := newHouse(t), greeter(t)
	opens := func(reply string) Change {
		return Change{Settings: Settings{Kind: KindSOCKS5, Address: "127.0.0.1", Port: peer(t, socksPeer(reply)), Active: true}}
	}
	good, forbids, off := opens("\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"), opens("\x05\x02"), opens("")
	good.Name, forbids.Name, off.Name, off.Active = "Good", "Forbids", "Off", false
	for _, c := range []Change{good, forbids, off} {
		if _, err := h.Create(h.ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	h.Resolver = &scripted{answers: [][]string{{"127.0.0.1"}}}
	paths, err := h.Compare(h.ctx, func(ctx context.Context, id int64) error {
		d, err := h.Dialer(ctx, id != 0, id)
		if err != nil {
			return err
		}
		return knock(ctx, d, far)
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range paths {
		word := "works"
		if !p.Works {
			word = p.FailedAt + ": " + p.Fault.Code
		}
		got = append(got, p.Name+" "+word)
	}
	want := "direct works, Forbids Connection through Forbids: socks5_2, Good works, Off Network connector Off: connector_unusable"
	if strings.Join(got, ", ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
	}
	if !paths[0].Default || paths[0].ConnectorID != 0 || len(Working(paths)) != 2 {
		t.Errorf("%+v", paths[0])
	}
}

func knock(ctx context.Context, d dial.Dialer, port int) error {
	conn, err := d.Dial(ctx, "mail.example.com", port)
	if err != nil {
		return err
	}
	return conn.Close()
}

func TestAConnectorIsTested(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	c := h.register(KindSOCKS5, peer(t, socksPeer("\x05\x05")), "", "")
	if _, err := h.SetActive(h.ctx, c.ID, false); err != nil { // an inactive one can be tried
		t.Fatal(err)
	}
	alone, err := h.Test(h.ctx, c.ID, TestRequest{}, nil)
	if err != nil || !alone.Works || names(alone.Steps) != "connector gate" {
		t.Errorf("%+v, %v", alone, err)
	}
	var seen []Visit
	beyond, err := h.Test(h.ctx, c.ID, TestRequest{Host: " mail.example.com ", Port: 587}, func(v Visit) { seen = append(seen, v) })
	if err != nil || beyond.Works || beyond.Fault.Code != "socks5_5" || beyond.FailedAt != "Connection through "+c.Name || len(seen) != 6 || len(seen[5].Steps) != 3 {
		t.Errorf("%+v, %v, %v", beyond, seen, err)
	}
	for _, r := range []TestRequest{{Host: "mail.example.com"}, {Host: "a b", Port: 1}} {
		if _, err := h.Test(h.ctx, c.ID, r, nil); err == nil {
			t.Errorf("%+v is tested", r)
		}
	}
	direct, err := h.FindByName(h.ctx, "direct")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Test(h.ctx, direct.ID, TestRequest{}, nil); err == nil {
		t.Error("there is nothing to test")
	}
	if _, err := h.Test(h.ctx, 4711, TestRequest{}, nil); !errors.Is(err, problem.ErrNotFound) {
		t.Errorf("%v", err)
	}
	gone, err := h.Test(h.ctx, h.register(KindHTTPConnect, closedPort, "", "").ID, TestRequest{}, nil)
	if err != nil || gone.Works || gone.Fault.Code != "connector_refused" {
		t.Errorf("%+v, %v", gone, err)
	}
}
