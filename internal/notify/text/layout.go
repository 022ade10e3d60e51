package text

import "html"

// layout is the document around a message: one column, at most 600 px wide, readable at 320 px. The style sheet
// only adds what can't be written on an element, darkness among it; without it the mail is complete.
func layout(body, preview string, language Language) string {
	return `<!doctype html>
<html lang="` + string(language) + `">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<style>
:root { color-scheme: light dark; }
@media (max-width: 480px) {
  .card { padding: 20px 16px !important; border-radius: 0 !important; border-left: 0 !important; border-right: 0 !important; }
  .outer { padding: 12px 0 !important; }
  .brand { padding: 0 16px 8px !important; }
  .button { display: block !important; margin-right: 0 !important; text-align: center !important; }
}
@media (prefers-color-scheme: dark) {
  body, .outer { background: #12171f !important; color: #e6eaf0 !important; }
  .card { background: #1b222d !important; border-color: #7db7f5 #333d4b #333d4b !important; color: #e6eaf0 !important; }
  .edge { border-color: #333d4b !important; }
  .soft { color: #a3afbf !important; }
  .link { color: #7db7f5 !important; }
  .plain { background: #1b222d !important; color: #e6eaf0 !important; border-color: #5b6675 !important; }
}
</style>
</head>
<body style="margin:0;padding:0;background:#f3f5f8;color:#182433;font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:15px;line-height:1.5">
<div style="display:none;max-height:0;overflow:hidden">` + html.EscapeString(preview) + `</div>
<div class="outer" style="background:#f3f5f8;padding:24px 12px">
<div class="brand soft" style="max-width:602px;margin:0 auto;padding:0 4px 8px;box-sizing:border-box;font-size:13px;font-weight:600;color:#5b6675">Orbit</div>
<div class="card" style="max-width:536px;margin:0 auto;padding:28px 32px 16px;background:#ffffff;border:1px solid #d5dae1;border-top:4px solid #0054a6;border-radius:8px">
` + body + `</div>
</div>
</body>
</html>
`
}

// buttonHTML is a link that is seen as a button. What decides stands out by a colour of its own, and its words
// say the same without it.
func buttonHTML(tag, address, label string) string {
	class, colours := "button", "background:#0054a6;color:#ffffff;border:1px solid #0054a6"
	switch tag {
	case "LINK_APPROVE":
		colours = "background:#1a7f37;color:#ffffff;border:1px solid #1a7f37"
	case "LINK_REJECT":
		class, colours = "button plain", "background:#ffffff;color:#182433;border:1px solid #8a95a5"
	}
	return `<a class="` + class + `" href="` + html.EscapeString(address) + `" style="display:inline-block;margin:0 8px 8px 0;padding:10px 22px;border-radius:6px;font-weight:600;text-decoration:none;` +
		colours + `">` + html.EscapeString(label) + `</a>`
}
