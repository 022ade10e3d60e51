// The editor of texts: a tag is written where the cursor was, and the preview's words are posted into its frame.
{
  let last = null; // the field that had the cursor
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("[data-tags-into]")) last = event.target;
  });

  document.addEventListener("click", (event) => {
    const tag = event.target.closest("[data-insert]");
    if (!tag) return;
    const field = last || document.querySelector("textarea[data-tags-into]");
    if (!field) return;
    field.focus();
    field.setRangeText(tag.dataset.insert, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });

  const show = () => {
    for (const form of document.querySelectorAll("form[data-into-frame]")) {
      delete form.dataset.intoFrame;
      form.submit(); // not a form of the page: nothing is asked, nothing is lost
    }
  };
  document.addEventListener("htmx:afterSwap", show);
  show();
}
