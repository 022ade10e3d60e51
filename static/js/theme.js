// Runs before the first paint, alone: it says whether scripts run and applies the remembered theme, so that
// a dark page never flashes white. Without a choice the page follows the system by itself (color-scheme).
(() => {
  const root = document.documentElement;
  root.classList.replace("no-js", "js");
  try {
    const choice = localStorage.getItem("orbit-theme");
    if (choice === "dark" || choice === "light") root.dataset.theme = choice;
  } catch { /* storage refused: follow the system */ }
})();
