// Filling in: a button with data-fill writes its values into the form; a drop-down with data-fills writes those of
// the key that was chosen, unless somebody has typed a server of their own.
{
  const inputsOf = (form, name) => [...form.elements].filter((e) => e.name === name);

  // write sets a field as if somebody had, so that dependent fields and the summary follow.
  const write = (form, name, value) => {
    for (const input of inputsOf(form, name)) {
      const choice = input.type === "radio" || input.type === "checkbox";
      if (choice && input.value !== value) continue;
      if (choice ? input.checked : input.value === value) continue;
      if (choice) input.checked = true;
      else input.value = value;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      input.dispatchEvent(new Event("change", { bubbles: true }));
    }
  };

  const fill = (form, values) => {
    for (const [name, value] of Object.entries(values)) write(form, name, value);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-fill]");
    const form = button?.closest("form") || document.querySelector("main form[data-form]");
    if (!button || !form) return;
    fill(form, JSON.parse(button.dataset.fill));
    const window = button.closest("dialog");
    if (window) return window.close(); // the form behind it is filled in, and what opened the window has the focus
    const done = document.createElement("span");
    done.textContent = "Filled in.";
    done.tabIndex = -1; // the focus stays where it was
    button.replaceWith(done);
    done.focus();
  });

  // A text that is neither blank nor any key's own was typed by somebody: nothing is written then.
  const isOwn = (form, choices, name) => {
    const input = inputsOf(form, name).find((e) => e.type === "text" && e.inputMode !== "numeric");
    return input && input.value.trim() !== "" && !Object.values(choices).some((c) => c[name] === input.value.trim());
  };

  // gently leaves alone whatever is not one of the keys' own values, numbers included.
  const gently = (form, choices, values) => {
    const own = (name) => Object.values(choices).some((c) => inputsOf(form, name).some((e) => e.value === c[name]));
    return Object.fromEntries(Object.entries(values).filter(([name]) => own(name)));
  };

  document.addEventListener("change", (event) => {
    const select = event.target;
    if (!select.matches?.("select[data-fills]") || !select.form) return;
    const choices = JSON.parse(select.dataset.fills);
    const values = choices[select.value];
    if (values && "fillsGently" in select.dataset) return fill(select.form, gently(select.form, choices, values));
    if (!values || Object.keys(values).some((name) => isOwn(select.form, choices, name))) return;
    fill(select.form, values);
  });
}
