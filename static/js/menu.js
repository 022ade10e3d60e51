// Menus are popovers: the browser opens, closes and stacks them. Here: arrow keys, and a place below the button
// for browsers without anchor positioning.
{
  const placed = CSS.supports("position-area: bottom span-left");
  const entries = (menu) => [...menu.querySelectorAll("a[href], button:not([disabled])")].filter((e) => e.offsetParent !== null);
  const openerOf = (menu) => document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`);

  const place = (menu) => {
    const button = openerOf(menu).getBoundingClientRect();
    const below = button.bottom + menu.offsetHeight + 8 < innerHeight;
    menu.style.left = Math.max(8, Math.min(button.right - menu.offsetWidth, innerWidth - menu.offsetWidth - 8)) + "px";
    menu.style.top = (below ? button.bottom : Math.max(8, button.top - menu.offsetHeight - 8)) + "px";
  };

  document.addEventListener("toggle", (event) => {
    const menu = event.target;
    if (!menu.matches?.(".menu, .side")) return;
    const opener = openerOf(menu);
    opener?.setAttribute("aria-expanded", String(event.newState === "open"));
    if (event.newState !== "open") return;
    if (!placed && menu.matches(".menu")) place(menu);
    if (opener?.matches(":focus-visible")) entries(menu)[0]?.focus();
  }, true);

  const steps = { ArrowDown: 1, ArrowUp: -1, ArrowRight: 1, ArrowLeft: -1 };
  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.(".menu:popover-open");
    if (!menu) return;
    const all = entries(menu);
    const at = all.indexOf(document.activeElement);
    let next = null;
    if (event.key in steps) next = all[(at + steps[event.key] + all.length) % all.length];
    else if (event.key === "Home") next = all[0];
    else if (event.key === "End") next = all[all.length - 1];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });

  // A menu has done its work when something in it was chosen.
  document.addEventListener("click", (event) => {
    const item = event.target.closest?.(".menu .menu-item:not([aria-disabled])");
    if (item && !item.dataset.themeChoice) item.closest(".menu").hidePopover();
    if (event.target.closest?.("[data-print]")) print();
  });
}
