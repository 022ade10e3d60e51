// The theme menu. theme.js applies what is remembered before the first paint.
{
  const root = document.documentElement;
  const remembered = () => {
    try { return localStorage.getItem("orbit-theme") || "auto"; } catch { return "auto"; }
  };
  const mark = () => {
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === remembered()));
    }
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-choice]");
    if (!button) return;
    const choice = button.dataset.themeChoice;
    try {
      if (choice === "auto") localStorage.removeItem("orbit-theme");
      else localStorage.setItem("orbit-theme", choice);
    } catch { /* it holds for this page */ }
    if (choice === "auto") delete root.dataset.theme;
    else root.dataset.theme = choice;
    mark();
    button.closest("[popover]")?.hidePopover();
  });
  mark();
}
