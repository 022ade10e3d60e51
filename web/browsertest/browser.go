// Package browsertest lets tests look at pages as people do: in Chromium, without a window.
//
// One Chromium serves a test binary; each test gets a browser context of its own, with its own cookies and
// storage. Whatever a page does wrong while a test looks at it fails the test without being asked: an error in
// the console, something the Content-Security-Policy forbade, a request to another host, an asset that is
// missing. Check adds axe-core and the widths and themes that every page must bear.
package browsertest

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// install is how a machine gets what is missing.
const install = "install it with: apt-get install -y chromium-headless-shell"

// browser is the one Chromium of the test binary.
var browser struct {
	sync.Mutex
	ctx  context.Context //nolint:containedctx // chromedp's handle of the browser is a context
	stop func()
}

// Main runs the tests of a package and stops the browser afterwards: func TestMain(m *testing.M) { browsertest.Main(m) }
func Main(m *testing.M) {
	code := m.Run()
	if browser.stop != nil {
		browser.stop()
	}
	os.Exit(code)
}

// shared returns the browser, started by the first test that needs it.
func shared(t testing.TB) context.Context {
	t.Helper()
	browser.Lock()
	defer browser.Unlock()
	if browser.ctx != nil {
		return browser.ctx
	}
	program := find()
	if program == "" {
		t.Skip("no Chromium on this machine; " + install)
	}
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), flags(program)...)
	ctx, stopBrowser := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil {
		stopAllocator()
		t.Fatalf("start %s: %v", program, err)
	}
	browser.ctx = ctx
	browser.stop = func() {
		_ = chromedp.Cancel(ctx)
		stopBrowser()
		stopAllocator()
	}
	return ctx
}

// find prefers the Chromium that has no windows at all: it is a fifth faster.
func find() string {
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// flags keep Chromium quiet: no sandbox because CI runs as root, nothing that calls home. The profile directory is a
// fresh one, which chromedp removes.
func flags(program string) []chromedp.ExecAllocatorOption {
	return append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program),
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-domain-reliability", true),
		chromedp.Flag("no-pings", true),
		chromedp.Flag("force-device-scale-factor", "1"),
		chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("lang", "en-GB"),
	)
}
