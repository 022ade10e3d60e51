package ui

import (
	"strings"
	"testing"
	"time"
)

func at(minute int) time.Time { return time.Date(2026, 11, 23, 15, minute, 0, 0, time.UTC) }

func TestTheTrendHasRoundEnds(t *testing.T) {
	t.Parallel()
	for took, want := range map[time.Duration]time.Duration{
		0: 10 * time.Millisecond, 7 * time.Millisecond: 10 * time.Millisecond, 340 * time.Millisecond: 400 * time.Millisecond,
		2100 * time.Millisecond: 4 * time.Second, 41 * time.Second: time.Minute, 3 * time.Hour: 4 * time.Hour, 50 * time.Hour: 72 * time.Hour,
	} {
		if got := (TrendView{Points: []TrendPoint{{Took: took}}}).top(); got != want {
			t.Errorf("the top above %s is %s, want %s", took, got, want)
		}
	}
}

func TestAFailureInterruptsTheTrend(t *testing.T) {
	t.Parallel()
	v := TrendView{ID: "delay", Title: "Delay", Points: []TrendPoint{
		{At: at(0), Took: time.Second}, {At: at(1), Took: 2 * time.Second}, {At: at(2), Failed: true, Words: "lost"}, {At: at(3), Took: time.Second}, {At: at(4), Took: time.Second},
	}}
	if lines := v.lines(); len(lines) != 2 || !strings.HasPrefix(lines[0], "12.0,") || !strings.HasSuffix(lines[1], "664.0,103.0") {
		t.Errorf("want two stretches over the whole width, got %q", lines)
	}
	if text := html(t, Trend(v)); !strings.Contains(text, "<title>lost</title>") || strings.Contains(text, "style=") {
		t.Error(text)
	}
	if text := html(t, Trend(TrendView{})); text != "" {
		t.Errorf("nothing to show is shown as %q", text)
	}
	single := TrendView{Points: v.Points[:1]}
	if first, last := single.trendDates(); first != "" || last != "23 Nov, 15:00" || single.x(at(0)) != 338 {
		t.Errorf("a single point stands in the middle: %q %q %f", first, last, single.x(at(0)))
	}
}
