package ui

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// TrendView is a graph of durations over time. What it shows must also stand in a table on the page.
type TrendView struct {
	ID     string // of the element
	Title  string // what is shown, for screen readers too
	About  string // what a reader sees in it, in a sentence
	Points []TrendPoint
	Zone   *time.Location
}

// TrendPoint is one measurement.
type TrendPoint struct {
	At     time.Time
	Took   time.Duration
	Failed bool   // there is no duration: it did not succeed
	Words  string // on hover: "2.1 s on 23 Nov 2026, 15:02"
}

// The graph's measures in its own units; it scales with the page. The words of the scale stand at its right, beside the
// newest: where the graph is wider than the page, it begins there.
const (
	trendWidth, trendHeight = 720.0, 220.0
	trendLeft, trendRight   = 12.0, 56.0
	trendTop, trendBottom   = 14.0, 28.0
)

// top is the round duration at the upper end: the first of 1, 2 or 5 times a power of ten that nothing exceeds; in
// minutes and hours by their own steps.
func (v TrendView) top() time.Duration {
	var most time.Duration
	for _, p := range v.Points {
		if !p.Failed {
			most = max(most, p.Took)
		}
	}
	for _, step := range trendSteps {
		if most <= step {
			return step
		}
	}
	return most.Round(24*time.Hour) + 24*time.Hour
}

var trendSteps = func() []time.Duration {
	var steps []time.Duration
	for unit := 10 * time.Millisecond; unit < 10*time.Second; unit *= 10 {
		steps = append(steps, unit, 2*unit, 4*unit)
	}
	for _, seconds := range []time.Duration{10, 20, 40, 60, 120, 240, 600, 1200, 2400, 3600, 7200, 14400, 28800, 86400} {
		steps = append(steps, seconds*time.Second)
	}
	return steps
}()

// trendLine is a line of the grid with its words.
type trendLine struct{ y, words string }

func (v TrendView) grid() []trendLine {
	top := v.top()
	lines := make([]trendLine, 0, 5)
	for n := range 5 {
		took := top * time.Duration(n) / 4
		lines = append(lines, trendLine{y: coordinate(v.y(took)), words: axisWords(took)})
	}
	return lines
}

// axisWords are shorter than Took: "250 ms", "2.5 s", "5 min".
func axisWords(d time.Duration) string {
	short := func(value float64, unit string) string {
		return strconv.FormatFloat(math.Round(value*100)/100, 'f', -1, 64) + " " + unit
	}
	switch {
	case d == 0:
		return "0"
	case d < time.Second:
		return short(float64(d)/float64(time.Millisecond), "ms")
	case d < time.Minute:
		return short(d.Seconds(), "s")
	case d < time.Hour:
		return short(d.Minutes(), "min")
	}
	return short(d.Hours(), "h")
}

// x places a moment between the first and the last; a single one stands in the middle.
func (v TrendView) x(at time.Time) float64 {
	first, last := v.Points[0].At, v.Points[len(v.Points)-1].At
	room := trendWidth - trendLeft - trendRight
	if !last.After(first) {
		return trendLeft + room/2
	}
	return trendLeft + room*float64(at.Sub(first))/float64(last.Sub(first))
}

func (v TrendView) y(took time.Duration) float64 {
	room := trendHeight - trendTop - trendBottom
	return trendTop + room*(1-float64(took)/float64(v.top()))
}

// lines are the stretches between failures, as SVG takes points.
func (v TrendView) lines() []string {
	var lines []string
	var line []string
	end := func() {
		if len(line) > 1 {
			lines = append(lines, strings.Join(line, " "))
		}
		line = nil
	}
	for _, p := range v.Points {
		if p.Failed {
			end()
			continue
		}
		line = append(line, coordinate(v.x(p.At))+","+coordinate(v.y(p.Took)))
	}
	end()
	return lines
}

// trendDates are the moments under the graph: the first and the last.
func (v TrendView) trendDates() (first, last string) {
	zone := v.Zone
	if zone == nil {
		zone = time.UTC
	}
	words := func(p TrendPoint) string { return p.At.In(zone).Format("2 Jan, 15:04") }
	first, last = words(v.Points[0]), words(v.Points[len(v.Points)-1])
	if len(v.Points) == 1 {
		return "", first
	}
	return first, last
}

func coordinate(f float64) string { return fmt.Sprintf("%.1f", f) }
