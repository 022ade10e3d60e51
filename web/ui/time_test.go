package ui

import (
	"strings"
	"testing"
	"time"
)

func TestATimeSaysHowFarAwayItIsAndWhenExactly(t *testing.T) {
	saoPaulo, err := time.LoadLocation("America/Sao_Paulo")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)
	clock := Clock{Now: now, Zone: saoPaulo}
	cases := map[time.Duration]string{
		0: "just now", -44 * time.Second: "just now", -45 * time.Second: "1 minute ago", -119 * time.Second: "1 minute ago",
		-5 * time.Minute: "5 minutes ago", -time.Hour: "1 hour ago", -47 * time.Hour: "1 day ago", -40 * 24 * time.Hour: "1 month ago",
		-800 * 24 * time.Hour: "2 years ago", 3 * time.Hour: "in 3 hours", 20 * time.Second: "just now",
	}
	for distance, want := range cases {
		if got := clock.At(now.Add(distance)).Relative(); got != want {
			t.Errorf("%s: %q, want %q", distance, got, want)
		}
	}
	moment := clock.At(now)
	if got := moment.Exact(); got != "23 November 2026, 12:00:00 -03" {
		t.Errorf("exact %q", got)
	}
	text := html(t, RelativeTime(clock.At(now.Add(-5*time.Minute))))
	for _, part := range []string{`datetime="2026-11-23T11:55:00-03:00"`, `title="23 November 2026, 11:55:00 -03"`, ">5 minutes ago<"} {
		if !strings.Contains(text, part) {
			t.Errorf("%s lacks %s", text, part)
		}
	}
	if text := html(t, RelativeTime(TimeView{})); !strings.Contains(text, ">never<") {
		t.Errorf("no time at all shows %s", text)
	}
}
