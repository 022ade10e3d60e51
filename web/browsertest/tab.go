package browsertest

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// patience is how long a test waits for the page to become what it should be.
const patience = 30 * time.Second

// Tab is a page in a browser context of its own. Its methods fail the test when they cannot do what they say.
// Selectors are CSS.
type Tab struct {
	t    testing.TB
	ctx  context.Context //nolint:containedctx // chromedp's handle of the tab is a context
	base *url.URL
	seen *watch

	width, height int64
	scriptless    bool // the page's own JavaScript is off
}

// New opens a tab for the pages under base, e.g. "http://127.0.0.1:43211".
func New(t testing.TB, base string) *Tab {
	t.Helper()
	address, err := url.Parse(base)
	if err != nil {
		t.Fatalf("base address: %v", err)
	}
	seen := &watch{hosts: []string{address.Host}}
	ctx, cancel := chromedp.NewContext(shared(t), chromedp.WithNewBrowserContext(), chromedp.WithListener(seen.event))
	tab := &Tab{t: t, ctx: ctx, base: address, seen: seen}
	t.Cleanup(func() {
		cancel()
		for _, trouble := range seen.troubles() {
			t.Errorf("browser: %s", trouble)
		}
	})
	// The tab lives as long as the context of the first call, which therefore has no deadline.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	tab.must("enable network events", chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if _, err := cdp.Call(ctx, target, network.Enable, network.EnableParams{}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, target, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
		return err
	}))
	go tab.leave(chromedp.Events(ctx, page.JavascriptDialogOpening))
	tab.Size(1280, 800)
	return tab
}

// leave says yes to the browser's own question whether to leave a form; a test that opens another page means it.
func (tab *Tab) leave(questions iter.Seq2[page.EventJavascriptDialogOpening, error]) {
	for _, err := range questions {
		if err != nil {
			return
		}
		_, _ = chromedp.Call(tab.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
	}
}

// must runs steps within the patience of a test.
func (tab *Tab) must(what string, steps ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		tab.t.Fatalf("%s: %v\n%s", what, err, tab.glimpse())
	}
}

// value runs an action that answers something.
func value[T any](tab *Tab, what string, action chromedp.Action[T]) T {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		tab.t.Fatalf("%s: %v\n%s", what, err, tab.glimpse())
	}
	return v
}

// glimpse is what stands on the page, for the message of a failed test.
func (tab *Tab) glimpse() string {
	ctx, cancel := context.WithTimeout(tab.ctx, 2*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText.slice(0, 2000)`))
	if err != nil {
		return "the page cannot be read: " + err.Error()
	}
	return "the page is " + text
}

// Open loads a page by its path.
func (tab *Tab) Open(path string) {
	tab.t.Helper()
	target, err := tab.base.Parse(path)
	if err != nil {
		tab.t.Fatalf("open %s: %v", path, err)
	}
	tab.seen.forget()
	tab.must("open "+path, chromedp.Navigate(target.String()))
}

// Click clicks and does not wait for what follows.
func (tab *Tab) Click(selector string) {
	tab.t.Helper()
	tab.aim(selector)
	tab.must("click "+selector, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// aim brings what will be clicked into the middle of the window, away from the bars that stick to its edges, and waits
// until it rests there: letters that arrive late, or a window that opens, would move it from under the pointer.
func (tab *Tab) aim(selector string) {
	tab.t.Helper()
	tab.See(selector)
	if tab.scriptless { // nothing calls back in such a page, and little moves
		tab.Eval(fmt.Sprintf(`document.querySelector(%q)?.scrollIntoView({block: "center", behavior: "instant"}), ""`, selector))
		return
	}
	value(tab, "aim at "+selector, chromedp.Evaluate[bool](fmt.Sprintf(aimScript, selector), chromedp.EvalAwaitPromise))
}

const aimScript = `document.fonts.ready.then(() => new Promise((resolve) => {
	let last = "";
	const look = () => {
		const target = document.querySelector(%q);
		target?.scrollIntoView({block: "center", behavior: "instant"});
		const now = target ? JSON.stringify(target.getBoundingClientRect()) : "gone";
		if (now === last) resolve(true); else { last = now; requestAnimationFrame(look); }
	};
	look();
}))`

// Follow clicks and waits until the next page is loaded.
func (tab *Tab) Follow(selector string) {
	tab.t.Helper()
	tab.aim(selector)
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	click := chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible)
	if tab.scriptless { // nothing can say whether the target rests, so the pointer might miss it
		click = chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector(%q).click()`, selector))
	}
	if _, err := chromedp.RunResponse(ctx, click); err != nil {
		tab.t.Fatalf("follow %s: %v\n%s", selector, err, tab.glimpse())
	}
}

// Type replaces what stands in a field, with real key strokes.
func (tab *Tab) Type(selector, text string) {
	tab.t.Helper()
	tab.See(selector)
	// The first key replaces what is selected. chromedp's Clear sets an attribute that a field once typed into ignores.
	tab.Eval(fmt.Sprintf(`(() => { const field = document.querySelector(%q); field.focus(); field.select(); return ""; })()`, selector))
	if text == "" {
		text = kb.Delete
	}
	tab.Press(text)
}

// Choose chooses an option of a drop-down by its value.
func (tab *Tab) Choose(selector, option string) {
	tab.t.Helper()
	found := tab.Eval(fmt.Sprintf(`(() => {
		const field = document.querySelector(%q);
		if (!field || field.disabled || ![...field.options].some((o) => o.value === %q)) return "no";
		field.value = %q;
		field.dispatchEvent(new Event("input", {bubbles: true}));
		field.dispatchEvent(new Event("change", {bubbles: true}));
		return "yes";
	})()`, selector, option, option))
	if found != "yes" {
		tab.t.Fatalf("choose %q in %s: there is no such choice\n%s", option, selector, tab.glimpse())
	}
}

// Press sends keys to whatever has the focus: kb.Tab, kb.Escape, "text".
func (tab *Tab) Press(keys string, modifiers ...chromedp.KeyOption) {
	tab.t.Helper()
	tab.must("press keys", chromedp.KeyEvent(keys, modifiers...))
}

// Enter presses the Enter key and waits until the next page is loaded.
func (tab *Tab) Enter() {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.KeyEvent(kb.Enter)); err != nil {
		tab.t.Fatalf("press Enter: %v\n%s", err, tab.glimpse())
	}
}

// See waits until something is visible.
func (tab *Tab) See(selector string) {
	tab.t.Helper()
	tab.must("wait for "+selector, chromedp.WaitVisible(chromedp.CSS(selector)))
}

// SeeText waits until the text stands somewhere in what selector finds.
func (tab *Tab) SeeText(selector, text string) {
	tab.t.Helper()
	tab.Until(fmt.Sprintf(`[...document.querySelectorAll(%q)].some((e) => e.innerText.includes(%q))`, selector, text))
}

// Until waits until a JavaScript expression is true. The page itself watches, so no time is lost.
func (tab *Tab) Until(expression string) {
	tab.t.Helper()
	script := fmt.Sprintf(`new Promise((resolve) => {
		const look = () => { if (%s) resolve(true); else requestAnimationFrame(look); };
		look();
	})`, expression)
	value(tab, "wait until "+expression, chromedp.Evaluate[bool](script, chromedp.EvalAwaitPromise))
}

// Text is what can be read in the first element that selector finds.
func (tab *Tab) Text(selector string) string {
	tab.t.Helper()
	return strings.TrimSpace(value(tab, "read "+selector, chromedp.Text(chromedp.CSS(selector))))
}

// Value is what stands in a field.
func (tab *Tab) Value(selector string) string {
	tab.t.Helper()
	return value(tab, "read "+selector, chromedp.Value(chromedp.CSS(selector)))
}

// Eval evaluates JavaScript that gives a text.
func (tab *Tab) Eval(script string) string {
	tab.t.Helper()
	return value(tab, "evaluate", chromedp.Evaluate[string](script))
}

// Path is where the tab is, with its query.
func (tab *Tab) Path() string {
	tab.t.Helper()
	return tab.Eval(`location.pathname + location.search`)
}

// Size makes the window so large; up to 480 pixels of width it is a phone.
func (tab *Tab) Size(width, height int64) {
	tab.t.Helper()
	options := []chromedp.EmulateViewportOption{chromedp.EmulateScale(1)}
	if width <= 480 {
		options = append(options, chromedp.EmulateMobile)
	}
	tab.width, tab.height = width, height
	tab.must("resize", chromedp.EmulateViewport(width, height, options...))
}

// media sets what the system says about itself to CSS.
func (tab *Tab) media(kind string, dark, calm bool) {
	tab.t.Helper()
	features := []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: pick(dark, "dark", "light")},
		{Name: "prefers-reduced-motion", Value: pick(calm, "reduce", "no-preference")},
	}
	tab.must("emulate media", chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: kind, Features: features})
		return err
	}))
}

func pick(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}

// Scripts switches the page's JavaScript on or off, from the next page on. Until, See and their like still work.
func (tab *Tab) Scripts(on bool) {
	tab.t.Helper()
	tab.scriptless = !on
	tab.must("switch scripts", chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return err
	}))
}
