package browsertest

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/chromedp"
)

// axe is axe-core, as scripts/vendor-static.sh fetched it.
//
//go:embed testdata/axe.min.js
var axe string

// Every rule that the project keeps, and those whose answer depends on the theme.
const (
	allRules    = `{type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}`
	colourRules = `{type: "rule", values: ["color-contrast", "link-in-text-block"]}`
	// phoneRules are those whose answer depends on the width: how large and how near things are, what scrolls or is hidden.
	phoneRules = `{type: "rule", values: ["target-size", "color-contrast", "link-in-text-block", "scrollable-region-focusable",
		"aria-hidden-focus", "meta-viewport", "nested-interactive", "button-name", "link-name"]}`
)

// axeRun answers one line a violation.
const axeRun = `axe.run(document, {runOnly: %s, resultTypes: ["violations"]})
	.then((r) => r.violations.flatMap((v) => v.nodes.map((n) =>
		v.id + ": " + v.help + "\n    " + n.target.join(" ") + "\n    " + n.html.slice(0, 200) + "\n    " + (n.failureSummary || "").replace(/\n\s*/g, " "))).join("\n"))`

// Axe fails the test for every violation that axe-core finds on the page as it is now.
func (tab *Tab) Axe() {
	tab.t.Helper()
	tab.axe("", allRules)
}

func (tab *Tab) axe(variant, rules string) {
	tab.t.Helper()
	tab.must("load axe", chromedp.Evaluate[chromedp.Void](`typeof axe === "undefined" && (() => { `+axe+` })()`))
	if found := value(tab, "run axe", chromedp.Evaluate[string](fmt.Sprintf(axeRun, rules), chromedp.EvalAwaitPromise)); found != "" {
		tab.t.Errorf("axe-core on %s %s:\n%s", tab.Path(), variant, found)
	}
}

// Variant is a width and a theme in which every page must be good.
type Variant struct {
	Name          string
	Width, Height int64
	Dark          bool
}

// Variants are the four of every page.
var Variants = []Variant{
	{"desktop-light", 1280, 800, false},
	{"desktop-dark", 1280, 800, true},
	{"phone-light", 360, 740, false},
	{"phone-dark", 360, 740, true},
}

// thorough asks for every rule in every variant: when somebody looks at pictures, and in the long runs.
func thorough() bool { return os.Getenv("ORBIT_SCREENSHOTS") != "" || os.Getenv("ORBIT_SOAK") != "" }

// Check looks at the page that is open at both widths and in both themes: axe-core finds nothing, nothing is wider than
// the window, and a screenshot is taken as name. A dark page differs from the light one by its colours alone, so only
// their rules are asked again, and on a phone only those that depend on the width, unless the run is thorough. The tab is
// left at desktop width, in light.
func (tab *Tab) Check(name string) {
	tab.t.Helper()
	for _, v := range Variants {
		if v.Dark && v.Width < 500 && !thorough() {
			continue
		}
		tab.Show(v)
		tab.axe(v.Name, pick(v.Dark, colourRules, pick(v.Width < 500 && !thorough(), phoneRules, allRules)))
		tab.fits(v.Name)
		tab.Screenshot(name + "-" + v.Name)
	}
	tab.Show(Variants[0])
}

// Show puts the tab into a variant, without motion, so that pictures are alike.
func (tab *Tab) Show(v Variant) {
	tab.t.Helper()
	tab.Size(v.Width, v.Height)
	tab.media("screen", v.Dark, true)
	// Two frames: one in which the style is computed, one in which it is painted; and the letters are there.
	value(tab, "settle", chromedp.Evaluate[bool](
		`document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))))`,
		chromedp.EvalAwaitPromise))
}

// fits fails the test when the page scrolls sideways; it names what is too wide.
func (tab *Tab) fits(variant string) {
	tab.t.Helper()
	wide := tab.Eval(`(() => {
		const room = document.documentElement.clientWidth;
		if (document.documentElement.scrollWidth <= room) return "";
		const hidden = (e) => e.closest(".table-scroll, .code, pre, dialog:not([open]), [popover]:not(:popover-open)");
		return [...document.body.querySelectorAll("*")].filter((e) => !hidden(e) && e.getBoundingClientRect().right > room + 1)
			.slice(0, 5).map((e) => e.tagName.toLowerCase() + "." + e.className).join(", ") || "something";
	})()`)
	if wide != "" {
		tab.t.Errorf("%s in %s is wider than the window: %s", tab.Path(), variant, wide)
	}
}

// Screenshot writes the whole page as name.png into the directory that ORBIT_SCREENSHOTS names; without it, it does nothing.
func (tab *Tab) Screenshot(name string) {
	tab.t.Helper()
	dir := os.Getenv("ORBIT_SCREENSHOTS")
	if dir == "" {
		return
	}
	tab.stretch()
	picture := value(tab, "take screenshot", chromedp.FullScreenshot(100))
	tab.Size(tab.width, tab.height)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		tab.t.Fatal(err)
	}
	file := filepath.Join(dir, strings.ReplaceAll(name, "/", "-")+".png")
	if err := os.WriteFile(file, picture, 0o644); err != nil {
		tab.t.Fatal(fmt.Errorf("write screenshot: %w", err))
	}
}

// tallest is what a picture may be; longer pages are cut there.
const tallest = 6000

// stretch makes the window as high as the page, so that what sticks to its edges stands at the edges of the picture.
func (tab *Tab) stretch() {
	tab.t.Helper()
	width, height := tab.width, tab.height
	high := value(tab, "measure", chromedp.Evaluate[int64](`document.documentElement.scrollHeight`))
	tab.Size(width, max(height, min(high, tallest)))
	tab.width, tab.height = width, height
}

// Print shows the page as it would be printed and takes a screenshot of it.
func (tab *Tab) Print(name string) {
	tab.t.Helper()
	tab.media("print", false, true)
	tab.Screenshot(name)
	tab.media("screen", false, true)
}
