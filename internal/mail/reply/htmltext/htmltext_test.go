package htmltext

import (
	"strings"
	"testing"

	"orbit/internal/mail/reply/quote"
)

// show writes lines as text: "> " quoted, "# " attribution, "===" where an older message starts.
func show(lines []quote.Line) string {
	var out []string
	for _, l := range lines {
		mark := map[quote.Kind]string{quote.Written: "", quote.Quoted: "> ", quote.Attribution: "# ", quote.Older: "==="}[l.Kind]
		out = append(out, strings.TrimRight(mark+l.Text, " "))
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}

func TestLinesAreWhatAReaderSees(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"<p>Hello\n  <b>big</b>   world</p><p>Two<br>lines</p>", "Hello big world\n\nTwo\nlines"},
		{"<div>one</div><div>two</div><div><br></div><div>three</div>", "one\ntwo\n\nthree"},
		{"a&nbsp;&amp;&lt;b&gt;", "a\u00a0&<b>"},
		{"<pre>x\n  y</pre>", "x\n  y"},
		{"<table><tr><td>From:</td><td>Ana</td></tr><tr><td>To:</td><td>Bob</td></tr></table>", "From: Ana\nTo: Bob"},
		{"<ul><li>a<li>b</ul>c", "a\nb\n\nc"},
		{"yes<blockquote>old<blockquote>older</blockquote></blockquote>new", "yes\n\n> old\n\n> older\n\nnew"},
		{"yes<div class='gmail_quote'><div dir='ltr' class='gmail_attr'>On Monday<br></div><blockquote class=gmail_quote>old</blockquote></div>", "yes\n# On Monday\n\n> old"},
		{"yes<div id='appendonsend'></div><hr><div id=divRplyFwdMsg>From: x</div>old", "yes\n==="},
		{"yes<div id='x_divRplyFwdMsg'>From: x</div>", "yes\n==="},
		{"yes<div id=ydp1234yahoo_quoted class=x>old</div>new?", "yes\n==="},
		{"yes<div name=quote style='border-left: 2px'>old</div>", "yes\n==="},
		{"yes<div id=Signature>Bob</div>", "yes"},
		{"<title>APPROVE</title><style>APPROVE</style><script>APPROVE</script><!-- APPROVE -->no", "no"},
		{"<img alt='APPROVE' src=x><input value=APPROVE><button>APPROVE</button><select><option>APPROVE</select>no", "no"},
		{"<s>APPROVE</s> <del>APPROVE</del><span style='text-decoration: line-through'>APPROVE</span>no", "no"},
		{"<", "<"},
		{"", ""},
	} {
		if got := show(Lines(c.in)); got != c.want {
			t.Errorf("%s:\ngot  %q\nwant %q", c.in, got, c.want)
		}
	}
}

func TestHiddenTextIsNotSeen(t *testing.T) {
	t.Parallel()
	for _, hidden := range []string{
		`<div style="display:none">APPROVE</div>`, `<div style="DISPLAY : None !important">APPROVE</div>`, `<div hidden>APPROVE</div>`,
		`<p style="visibility:hidden">APPROVE</p>`, `<p style="font-size:0">APPROVE</p>`, `<p style="font-size: 0px;color:red">APPROVE</p>`, `<p style="opacity:0">APPROVE</p>`,
		`<p style="mso-hide:all">APPROVE</p>`, `<p style="max-height:0;overflow:hidden">APPROVE</p>`, `<p style="height:0;overflow:hidden">APPROVE</p>`,
		`<p style="color:#fff">APPROVE</p>`, `<font color="#FFFFFF">APPROVE</font>`, `<p style="background:#fff;color:white">APPROVE</p>`,
		`<p style="position:absolute;left:-9999px">APPROVE</p>`, `<div style="display:none"><div></div><table></div><tr><td>APPROVE</td></tr></table></div>`,
		`<style>.x, p.y > span.z{display:none}</style><span class="z">APPROVE</span>`, `<style>@media all { #q { visibility: hidden } }</style><i id=q>APPROVE</i>`,
		`<style><!-- /* a; b */ i {font-size:0px} --></style><i>APPROVE</i>`,
		`<template>APPROVE</template>`, `<noscript>APPROVE</noscript>`, `<svg><text>APPROVE</text></svg>`,
	} {
		if got := show(Lines(hidden + "<p>seen</p>")); got != "seen" {
			t.Errorf("%s: %q", hidden, got)
		}
	}
}

func TestOrdinaryStylesHideNothing(t *testing.T) {
	t.Parallel()
	for _, seen := range []string{
		`<p style="font-size:0.9em">seen</p>`, `<p style="margin-left:-9px;font-size:10pt">seen</p>`, `<p style="opacity:0.87">seen</p>`,
		`<div style="background:#333"><p style="color:#fff">seen</p></div>`, `<table><tr><td bgcolor="#000000"><font color=white>seen</font></td></tr></table>`,
		`<p style="background-color:white;color:black">seen</p>`, `<style>body{display:none}</style>seen`, `<style>.x{color:red}</style><p class=x>seen</p>`,
	} {
		if got := show(Lines(seen)); got != "seen" {
			t.Errorf("%s: %q", seen, got)
		}
	}
}

func TestDeepDocumentsEnd(t *testing.T) {
	t.Parallel()
	Lines(strings.Repeat("<div>", 100000) + "x")
	Lines(strings.Repeat("<b><a>", 20000) + "x")
}

func FuzzLines(f *testing.F) {
	f.Add("<p style='color:#fff'>x</p><blockquote>y</blockquote><div id=appendonsend></div>z")
	f.Add("<style>.a{display:none}</style><pre>\n\n</pre><table><td>")
	f.Fuzz(func(t *testing.T, document string) {
		for _, l := range Lines(document) {
			if l.Kind == quote.Older && l.Text != "" {
				t.Errorf("text %q where an older message starts", l.Text)
			}
		}
	})
}
