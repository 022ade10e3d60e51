package gallery

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"orbit/web/browsertest"
)

// focused is a JavaScript expression: whether selector finds the element that has the focus.
func focused(selector string) string {
	return "document.activeElement.matches(`" + selector + "`)"
}

func open(t *testing.T, path string) *browsertest.Tab {
	t.Parallel()
	tab := browsertest.New(t, galleryServer(t).URL)
	tab.Open(path)
	return tab
}

func TestARowMenuWorksByKeyboard(t *testing.T) {
	tab := open(t, "/report")
	tab.Eval(`document.querySelector("#account-1 .dots").focus({focusVisible: true}), ""`)
	tab.Press(kb.Enter)
	tab.Until(focused(`#row-menu-0 a[href="/form"]`))
	tab.Press(kb.ArrowDown)
	tab.Until(focused(`#row-menu-0 a[href="/window-test"]`))
	tab.Press(kb.ArrowUp)
	tab.Press(kb.ArrowUp)
	tab.Until(focused(`#row-menu-0 [aria-disabled]`))
	tab.Press(kb.Escape)
	tab.Until(focused("#account-1 .dots"))
	tab.Until(`!document.querySelector("#row-menu-0").matches(":popover-open")`)
}

func TestMenusLookRightWhereTheyOpen(t *testing.T) {
	tab := open(t, "/report")
	tab.Click("#account-1 .dots")
	tab.See("#row-menu-0")
	tab.Check("gallery-row-menu")
	for _, menu := range []string{"grid-menu", "bell-menu", "person-menu", "theme-menu", "report-menu"} {
		tab.Click(`[popovertarget="` + menu + `"]`)
		tab.See("#" + menu)
		tab.Check("gallery-" + menu)
		tab.Press(kb.Escape)
	}
}

func TestTheSideMenuIsADrawerOnAPhone(t *testing.T) {
	tab := open(t, "/report")
	tab.Show(browsertest.Variants[2])
	tab.Click(".side-toggle")
	tab.See(`#side-menu a[aria-current="page"]`)
	tab.Axe()
	tab.Screenshot("gallery-drawer")
	tab.Click(".side-close")
	tab.Until(`!document.querySelector("#side-menu").matches(":popover-open")`)
}

func TestAWindowOpensOverThePageAndGivesTheFocusBack(t *testing.T) {
	tab := open(t, "/report")
	tab.Click("#account-1 .dots")
	tab.Click(`#row-menu-0 a[href="/window-test"]`)
	tab.SeeText("dialog[open] h2", "Test e-mail - Account Office365")
	tab.Until(focused(`dialog [name="to"]`))
	tab.Check("gallery-window-test")
	tab.Press(kb.Escape)
	tab.Until(`!document.querySelector("#window").open`)
	tab.Until(focused("#account-1 .dots"))

	tab.Click("#account-1 .dots")
	tab.Until(`document.querySelector("#row-menu-0").matches(":popover-open")`)
	tab.Click(`#row-menu-0 a[href="/window-delete"]`)
	tab.SeeText("dialog[open] h2", "Delete SMTP account Office365?")
	tab.Check("gallery-window-delete")
	tab.Click("dialog[open] [data-close-window]")
	tab.Until(`!document.querySelector("#window").open`)
}

func TestTheSearchFindsWhileTyping(t *testing.T) {
	tab := open(t, "/parts")
	tab.Press("k", chromedp.KeyModifiers(2)) // Ctrl
	tab.Until(focused("#search"))
	tab.Press("offi")
	tab.SeeText(`[role="option"]`, "Office365")
	tab.Check("gallery-search")
	tab.Press(kb.ArrowDown)
	tab.Until(`document.querySelector("#search").getAttribute("aria-activedescendant") === "found-0"`)
	tab.Enter()
	tab.Until(`location.pathname === "/form"`)
}

func TestTheThemeIsRemembered(t *testing.T) {
	tab := open(t, "/parts")
	scheme := func() string { return tab.Eval(`getComputedStyle(document.documentElement).colorScheme`) }
	choose := func(theme string) {
		tab.Click(`[popovertarget="theme-menu"]`)
		tab.Click(`[data-theme-choice="` + theme + `"]`)
		tab.Open("/form")
	}
	choose("dark")
	if got := scheme(); got != "dark" {
		t.Errorf("after Dark the next page is %q", got)
	}
	choose("light")
	if got := scheme(); got != "light" {
		t.Errorf("after Light the next page is %q", got)
	}
	choose("auto")
	if got := scheme(); got != "light dark" {
		t.Errorf("as the system, the next page is %q", got)
	}
}

func TestLeavingWithUnsavedChangesAsks(t *testing.T) {
	tab := open(t, "/form")
	tab.Type("#field-sender_name", "Orbit")
	tab.Click(`.side a[href="/report"]`)
	tab.SeeText("dialog[open]", "What you changed on this page is not saved.")
	tab.Check("gallery-leave")
	tab.Click(`[data-leave="stay"]`)
	if got := tab.Value("#field-sender_name"); got != "Orbit" {
		t.Errorf("after Stay the field holds %q", got)
	}
	tab.Click(`.side a[href="/report"]`)
	tab.Follow(`[data-leave="go"]`)
	tab.SeeText("h1", "SMTP Configuration")
}

func TestWhatIsWrongIsFocusedFirstAndLeadsToItsField(t *testing.T) {
	tab := open(t, "/form-wrong")
	tab.Until(focused(".error-summary"))
	tab.Click(`.error-summary a[href="#field-port"]`)
	tab.Until(focused("#field-port"))
	tab.Click(`.error-summary a[href="#field-use_secure_connection"]`)
	tab.Until(focused(`[name="use_secure_connection"]:checked`))
}

func TestDependentFieldsFollowTheirSwitch(t *testing.T) {
	tab := open(t, "/form")
	posted := func() string {
		return tab.Eval(`[...new FormData(document.getElementById("form")).keys()].join(" ")`)
	}
	before := posted()
	tab.Click(`[name="use_authentication"][value="no"]`)
	tab.Until(`document.querySelector("#field-credential_id").offsetParent === null`)
	tab.Click(`[name="use_secure_connection"][value="no"]`)
	tab.Until(`document.querySelector('[name="secure_connection_type"]').disabled`)
	if got := posted(); got == before || len(got) >= len(before) {
		t.Errorf("fields out of sight are posted all the same: %s", got)
	}
	tab.Click(`[name="use_authentication"][value="yes"]`)
	tab.Click(`[name="use_secure_connection"][value="yes"]`)
	tab.See("#field-credential_id")
	if got := posted(); got != before {
		t.Errorf("posted after switching back: %s\nbefore: %s", got, before)
	}
}

func TestTheSummaryFollowsWhatIsTyped(t *testing.T) {
	tab := open(t, "/form")
	tab.Type("#field-secret", "must stay in the browser")
	tab.Type("#field-smtp_host", "smtp.example.org")
	tab.SeeText("#summary", "smtp.example.org")
}

func TestPagesWorkWithoutScripts(t *testing.T) {
	tab := open(t, "/parts")
	tab.Scripts(false)
	tab.Open("/report")
	tab.Click("#account-1 .dots")
	tab.Follow(`#row-menu-0 a[href="/window-test"]`)
	tab.Open("/form")
	tab.See("#field-certificate_ca") // hidden by its condition only where scripts can show it again
	if tab.Eval(`String([...document.querySelectorAll(".needs-js")].every((e) => e.offsetParent === null))`) != "true" {
		t.Error("something that needs scripts is shown without them")
	}
}

func TestPaperGetsNoTools(t *testing.T) {
	tab := open(t, "/report")
	tab.Print("gallery-report-print")
}

// maxWeight is what a page may load in all, letters included, with an empty cache.
const maxWeight = 150_000

func TestPagesAreLight(t *testing.T) {
	tab := open(t, "/report")
	for _, path := range []string{"/report", "/form-wrong", "/landing"} {
		tab.Open(path)
		tab.Until(`document.fonts.status === "loaded"`)
		t.Logf("%s loads %d bytes", path, tab.Weight())
		if tab.Weight() > maxWeight {
			t.Errorf("%s loads %d bytes, at most %d are wanted", path, tab.Weight(), maxWeight)
		}
	}
}
