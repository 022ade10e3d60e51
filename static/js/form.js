// Forms: what is wrong is focused first, dependent fields appear in place, the summary follows what is typed, and
// leaving with unsaved changes asks.
{
  const fieldsOf = (form, name) => [...form.elements].filter((e) => e.name === name);

  // valueOf is what the form would post for a name.
  const valueOf = (form, name) => {
    for (const e of fieldsOf(form, name)) {
      if (e.type !== "radio" && e.type !== "checkbox") return e.value;
      if (e.checked) return e.value;
    }
    return "";
  };

  const met = (form, condition) => {
    const [name, values] = condition.split("=");
    return values.split("|").includes(valueOf(form, name));
  };

  // A field that is not shown is not posted: what was typed into it before it went away does not count.
  const apply = (form) => {
    for (const field of form.querySelectorAll("[data-shown-when]")) {
      const shown = met(form, field.dataset.shownWhen);
      field.toggleAttribute("data-unmet", !shown);
      able(field, shown && !field.closest("[data-off]"));
    }
    for (const field of form.querySelectorAll("[data-enabled-when]")) {
      const on = met(form, field.dataset.enabledWhen);
      field.toggleAttribute("data-off", !on);
      able(field, on && !field.closest("[data-unmet]"));
    }
  };

  const able = (field, on) => {
    for (const input of field.querySelectorAll("input, select, textarea")) {
      if (!("offAlways" in input.dataset)) input.disabled = !on;
    }
  };

  const begin = (root) => {
    for (const form of root.querySelectorAll("form[data-form]")) {
      if (form.dataset.begun) continue;
      form.dataset.begun = "yes";
      apply(form);
    }
    const first = root.querySelector("[data-focus]");
    if (first && !first.closest("dialog:not([open])")) first.focus();
  };

  document.addEventListener("input", (event) => changed(event.target));
  document.addEventListener("change", (event) => changed(event.target));

  let timer = 0;
  const changed = (input) => {
    const form = input.form;
    if (!form?.matches("form[data-form]")) return;
    form.dataset.changed = "";
    apply(form);
    clearTimeout(timer);
    timer = setTimeout(() => form.closest(".form-page")?.dispatchEvent(new CustomEvent("orbit:changed")), 300);
  };

  // One press, one post.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    delete form.dataset.changed;
    for (const button of form.querySelectorAll("[data-busy]")) button.setAttribute("aria-busy", "true");
  });
  const idle = () => { for (const button of document.querySelectorAll("[data-busy]")) button.removeAttribute("aria-busy"); };
  document.addEventListener("htmx:afterRequest", idle);
  addEventListener("pageshow", idle); // back from the page that the form led to

  // A link of the summary leads to the field itself, not above it.
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".error-summary a");
    const field = link && document.querySelector(link.getAttribute("href"));
    if (!field) return;
    event.preventDefault();
    const input = field.matches("input, select, textarea") ? field : field.querySelector("input:checked, input, select, textarea");
    (input || field).focus();
    field.scrollIntoView({ block: "center" });
  });

  document.addEventListener("click", (event) => {
    const eye = event.target.closest("[data-show-secret]");
    if (!eye) return;
    const input = document.getElementById(eye.dataset.showSecret);
    const show = input.type === "password";
    input.type = show ? "text" : "password";
    eye.setAttribute("aria-pressed", String(show));
  });

  // Leaving: our own question on the way to another page of Orbit, the browser's when the tab closes.
  const unsaved = () => document.querySelector("form[data-watch-changes][data-changed]");
  const question = document.getElementById("leave-question");
  let going = null;
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || !question || !unsaved() || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || link.target || link.hasAttribute("hx-get") ||
        link.origin !== location.origin || (link.pathname === location.pathname && link.hash) || link.hasAttribute("download")) return;
    event.preventDefault();
    going = link.href;
    question.showModal();
  });
  question?.addEventListener("click", (event) => {
    const answer = event.target.closest("[data-leave]")?.dataset.leave;
    if (!answer) return;
    question.close();
    if (answer !== "go") return;
    delete unsaved().dataset.changed;
    location.href = going;
  });
  addEventListener("beforeunload", (event) => { if (unsaved()) event.preventDefault(); });

  document.addEventListener("htmx:afterSwap", (event) => begin(event.detail.target || event.detail.elt || document)); // an event stream names no target
  begin(document);
}
