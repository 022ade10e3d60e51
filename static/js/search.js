// The search of pages and accounts: results while typing, Ctrl K from anywhere. Enter without a choice opens the
// page of results, as it does without JavaScript.
{
  const form = document.querySelector("form[data-search]");
  const input = form?.querySelector("input");
  let list = null;
  let chosen = -1;
  let asked = null;

  const options = () => (list ? [...list.querySelectorAll("[role=option]")] : []);

  const close = () => {
    list?.remove();
    list = null;
    chosen = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };

  const choose = (n) => {
    const all = options().filter((option) => option.dataset.href);
    if (all.length === 0) return;
    chosen = (n + all.length) % all.length;
    all.forEach((option, i) => option.setAttribute("aria-selected", String(i === chosen)));
    all[chosen].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", all[chosen].id);
  };

  const icon = (name) => {
    const sprite = document.querySelector("svg use").getAttribute("href").split("#")[0];
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", `${sprite}#${name}`);
    svg.append(use);
    return svg;
  };

  const show = (items) => {
    const kept = chosen >= 0 ? options()[chosen].dataset.href : null; // a late answer must not take the choice away
    close();
    list = document.createElement("ul");
    list.id = "search-found";
    list.className = "found";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Found");
    items.forEach((item, i) => {
      const option = document.createElement("li");
      const where = document.createElement("small");
      const title = document.createElement("span");
      option.id = `found-${i}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.dataset.href = item.href;
      title.textContent = item.title;
      where.textContent = item.where;
      option.append(icon(item.icon), title, where);
      list.append(option);
    });
    if (items.length === 0) {
      const none = document.createElement("li");
      none.className = "found-none";
      none.setAttribute("role", "option");
      none.setAttribute("aria-disabled", "true");
      none.textContent = "Nothing found";
      list.append(none);
    }
    form.parentElement.append(list);
    if (kept) choose(Math.max(0, items.findIndex((item) => item.href === kept)));
    input.setAttribute("aria-expanded", "true");
  };

  const ask = async () => {
    const words = input.value.trim();
    asked?.abort();
    if (words === "") return close();
    asked = new AbortController();
    try {
      const url = `${form.dataset.search}?q=${encodeURIComponent(words)}`;
      const answer = await fetch(url, { headers: { Accept: "application/json" }, signal: asked.signal });
      if (answer.ok) show((await answer.json()).items);
    } catch { /* a newer question, or no network: Enter still works */ }
  };

  if (form) {
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", "search-found");
    input.setAttribute("aria-expanded", "false");
    let timer = 0;
    input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 150); });
    input.addEventListener("blur", () => setTimeout(close, 150));
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown") { event.preventDefault(); list ? choose(chosen + 1) : ask(); }
      else if (event.key === "ArrowUp") { event.preventDefault(); choose(chosen - 1); }
      else if (event.key === "Escape" && list) { event.preventDefault(); close(); }
    });
    form.addEventListener("submit", (event) => {
      if (chosen < 0) return;
      event.preventDefault();
      location.href = options()[chosen].dataset.href;
    });
    form.parentElement.addEventListener("mousedown", (event) => {
      const option = event.target.closest("[data-href]");
      if (option) { event.preventDefault(); location.href = option.dataset.href; }
    });
    document.addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        input.focus();
        input.select();
      }
    });
  }
}
