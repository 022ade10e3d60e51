// Proposes the browser's time zone where the page asks for it (data-browser-zone): the set-up page.
for (const field of document.querySelectorAll("[data-browser-zone]")) {
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || field.value;
}
