package mailhtml_test

import (
	"errors"
	"strings"
	"testing"

	"orbit/web/mailhtml"
)

// body is what Clean made of the part that people see.
func body(t *testing.T, text string, image func(string) string) (string, mailhtml.Document) {
	t.Helper()
	d, err := mailhtml.Clean(text, image)
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(d.HTML, "<body")
	inner, _, _ := strings.Cut(after, "</body>")
	return "<body" + inner, d
}

func TestALetterKeepsItsLook(t *testing.T) {
	t.Parallel()
	letter := `<body bgcolor="#eeeeee"><table width="600" cellpadding="8"><tr><td style="color: #333; padding: 4px"><b>Approved.</b> Regards<br/>Ana</td></tr></table></body>`
	got, d := body(t, letter, nil)
	for _, want := range []string{`<body bgcolor="#eeeeee">`, `<table width="600" cellpadding="8">`, `style="color: #333; padding: 4px"`, `<b>Approved.</b> Regards<br/>Ana`} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in %s", want, got)
		}
	}
	if d.Remote+d.Active != 0 {
		t.Errorf("nothing had to go: %+v", d)
	}
}

func TestWhatActsOrLoadsIsTakenAway(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		html           string
		gone           string
		remote, active int
	}{
		"script":             {`<p>a</p><script>alert(1)</script>`, "alert", 0, 1},
		"script in head":     {`<head><script src="https://evil.example/x.js"></script></head>`, "evil", 0, 1},
		"handler":            {`<p onclick="alert(1)">a</p>`, "alert", 0, 1},
		"remote image":       {`<img src="https://evil.example/x.png" alt="Logo">`, "evil", 1, 0},
		"srcset":             {`<img srcset="https://evil.example/x.png 2x">`, "evil", 1, 0},
		"pixel":              {`<img src="https://evil.example/x.gif" width="1" height="1">`, "img", 1, 0},
		"svg image":          {`<img src="data:image/svg+xml;base64,PHN2Zz4=">`, "svg", 1, 0},
		"background":         {`<td background="https://evil.example/x.png">a</td><table background="https://evil.example/x.png"><tr><td>a</table>`, "evil", 1, 0},
		"style url":          {`<p style="background: url(https://evil.example/x.png)">a</p>`, "evil", 1, 0},
		"escaped url":        {`<p style="background: \75\72\6c(https://evil.example/x.png)">a</p>`, "url(", 0, 0},
		"commented url":      {`<p style="background: u/**/rl(https://evil.example/x.png)">a</p>`, "url(", 0, 0},
		"sheet":              {`<style>@import "https://evil.example/x.css"; p { background: url('https://evil.example/x') }</style>`, "evil", 2, 0},
		"sheet ends early":   {`<style>p { content: "<\/style><script>alert(1)</script>" }</style>`, "<script", 0, 0},
		"link":               {`<link rel="stylesheet" href="https://evil.example/x.css">`, "evil", 1, 0},
		"form":               {`<form action="https://evil.example"><input name="password"><button>Go</button>Sign in</form>`, "evil", 0, 3},
		"refresh":            {`<meta http-equiv="Refresh" content="0; url=https://evil.example">`, "evil", 0, 1},
		"base":               {`<base href="https://evil.example/"><p>a`, "evil", 0, 1},
		"frame":              {`<iframe src="https://evil.example"></iframe>`, "evil", 0, 1},
		"srcdoc":             {`<iframe srcdoc="<script>alert(1)</script>"></iframe>`, "alert", 0, 1},
		"object":             {`<object data="https://evil.example"></object><embed src="https://evil.example">`, "evil", 0, 2},
		"svg":                {`<svg onload="alert(1)"><script>alert(1)</script><image href="https://evil.example"/></svg>`, "svg", 0, 1},
		"math":               {`<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>`, "alert", 0, 1},
		"video":              {`<video src="https://evil.example/x.mp4" autoplay></video>`, "evil", 0, 1},
		"template":           {`<template><img src="https://evil.example"></template>`, "evil", 0, 1},
		"noscript":           {`<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>`, "<img", 0, 0},
		"script address":     {`<a href="javascript:alert(1)">a</a>`, "href", 0, 0},
		"unknown element":    {`<o:p><blink>a</blink></o:p>`, "blink", 0, 0},
		"control characters": {"<img src=\"\x01https://evil.example/x.png\">", "evil", 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := mailhtml.Clean(c.html, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, rest, _ := strings.Cut(d.HTML, "</style>") // our own sheet comes first
			if strings.Contains(strings.ToLower(rest), c.gone) {
				t.Errorf("%q is left in %s", c.gone, d.HTML)
			}
			if d.Remote != c.remote || d.Active != c.active {
				t.Errorf("counted %d remote and %d active, want %d and %d: %s", d.Remote, d.Active, c.remote, c.active, rest)
			}
		})
	}
}

func TestInlineImagesAreShown(t *testing.T) {
	t.Parallel()
	image := func(id string) string {
		if id == "Logo@example.com" {
			return "data:image/png;base64,AAAA"
		}
		return ""
	}
	got, d := body(t, `<img src="cid:Logo@example.com" alt="Logo"><img src="cid:gone" alt="Gone">`, image)
	if !strings.Contains(got, `src="data:image/png;base64,AAAA" alt="Logo"`) || !strings.Contains(got, `<img alt="Gone"/>`) || d.Remote != 0 {
		t.Errorf("%s %+v", got, d)
	}
}

func TestLinksAreReadAndNotFollowed(t *testing.T) {
	t.Parallel()
	got, _ := body(t, `<a href="https://example.com/decide?token=1" target="_top" title="Click here">Decide</a>`, nil)
	if !strings.Contains(got, `<a title="https://example.com/decide?token=1">Decide</a>`) {
		t.Error(got)
	}
}

func TestWhatIsNestedTooDeepIsNotShown(t *testing.T) {
	t.Parallel()
	if _, err := mailhtml.Clean(strings.Repeat("<div>", 100_000), nil); !errors.Is(err, mailhtml.ErrUnreadable) {
		t.Errorf("want ErrUnreadable, got %v", err)
	}
}

func FuzzClean(f *testing.F) {
	for _, seed := range []string{
		`<p onclick=x><img src=http://a><a href=javascript:x>b</a><style>@import "x"</style>`, `<svg><style><img src=x onerror=y>`,
		`<table><form><td><math><mi><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">`, `<noscript><style></noscript><img src=x onerror=y>`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := mailhtml.Clean(text, nil)
		if err != nil {
			return
		}
		again, err := mailhtml.Clean(d.HTML, nil)
		if err != nil || again.Active != 0 {
			t.Fatalf("a cleaned document is clean: %v, %d in %s", err, again.Active, d.HTML)
		}
	})
}
