// Windows: a link with hx-get loads its page into the dialog, which opens; without JavaScript it is a page.
{
  const dialog = document.querySelector("[data-window-host]");
  let opener = null;

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (dialog && event.detail.target === dialog) opener = openerOf(event.detail.elt);
  });

  // The entry of a menu is gone when the window closes; the menu's button is still there.
  const openerOf = (element) => {
    const menu = element.closest("[popover]");
    return menu ? document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`) : element;
  };

  document.addEventListener("htmx:afterSwap", (event) => {
    if (!dialog || event.detail.target !== dialog || !dialog.firstElementChild) return;
    if (!dialog.open) dialog.showModal();
    const first = dialog.querySelector("[data-focus], [autofocus], .window-body input:not([type=hidden]), .window-body select, .window-body textarea, .window-body button");
    first?.focus();
  });

  // A running test grows at its end: keep the newest step in view, and at last the result.
  document.addEventListener("htmx:sseMessage", () => {
    const newest = dialog?.querySelector(".ladder-final") || dialog?.querySelector(".rung:last-child");
    newest?.scrollIntoView({ block: "nearest" });
  });

  document.addEventListener("click", (event) => {
    const close = event.target.closest("[data-close-window]");
    if (!close || !dialog?.contains(close)) return;
    event.preventDefault();
    dialog.close();
  });

  dialog?.addEventListener("close", () => {
    dialog.replaceChildren(); // and with it a running event stream
    window.htmx?.trigger(dialog, "orbit:closed");
    opener?.focus();
    opener = null;
  });

  // What htmx cannot show in place: no answer, or a failure of the server.
  const say = (words) => {
    const main = document.getElementById("main");
    const old = main?.querySelector("[data-trouble]");
    old?.remove();
    const box = document.createElement("div");
    box.className = "message tone-bad flash";
    box.dataset.trouble = "";
    box.setAttribute("role", "alert");
    box.textContent = words;
    main?.prepend(box);
  };
  document.addEventListener("htmx:sendError", () => say("Orbit does not answer. Check the network and try again."));
  document.addEventListener("htmx:responseError", () => say("Orbit could not do this. Load the page again; if it stays so, look into Orbit's log."));
}
