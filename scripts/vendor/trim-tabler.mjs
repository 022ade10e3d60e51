// Writes Tabler's stylesheet without the parts that Orbit does not use.
//
// Whole families are dropped, not single unused rules: a page may use any class of the families that
// stay without fetching anything again. A test compares the classes in the pages with what is left.
import fs from "node:fs";
import postcss from "postcss";

const [source, ownFolder, target] = process.argv.slice(2);

// Class families of widgets that Orbit does not have.
const families = [
  // Frame, menus, windows, lists and steps are Orbit's own (static/css).
  "navbar", "page", "nav", "dropdown", "dropup", "dropend", "dropstart", "modal", "offcanvas", "breadcrumb", "pagination", "popover", "bs-popover",
  "list-group", "list-timeline", "list-separated", "list-inline", "list-bordered", "empty", "steps", "step-item", "status", "hr-text", "markdown", "tab-", "tab",
  "alert", "toast", "tooltip", "bs-tooltip", "was-validated", "valid-", "is-valid", "form-floating", "form-selectgroup",

  // Widgets that no page has.
  "accordion", "apexcharts", "avatar", "calendar", "carousel", "chart", "chat", "chip", "cookie", "datagrid", "divide-", "dropzone", "flag", "fslightbox", "highlight",
  "hover", "img", "legend", "mention", "nav-segmented", "otp", "payment", "placeholder", "plyr", "progressbg", "prose", "range", "ratio", "ribbon",
  "shape", "signal", "social", "sortable", "space-y", "space-x", "space", "sparkline", "stars", "star", "strength", "svg", "switch-icon", "tag", "theme-switch",
  "timeline", "tom-select", "tracking", "ts", "turn", "auth", "animation", "bg-pattern", "bg-gradient", "page-cover", "pricing", "price", "wizard",

  // Corners of the families that stay.
  "btn-social", "btn-floating", "btn-animate", "btn-tabler", "btn-actions", "btn-square", "btn-pill", "btn-app", "btn-check", "btn-toolbar", "btn-link",
  "card-img", "card-cover", "card-profile", "card-rotate", "card-stacked", "card-stamp", "card-tabs", "card-ribbon", "card-progress", "card-sponsor", "card-deck", "card-group", "card-gradient", "card-overlap", "card-borderless", "card-list", "card-avatar", "card-active", "card-inactive", "card-status",
  "form-range", "form-imagecheck", "form-colorinput", "form-colorcheck", "form-file", "form-fieldset", "form-help", "form-check-highlight", "form-switch",
  "input-group-flat", "input-icon", "table-responsive-", "table-mobile", "table-transparent", "table-selectable", "modal-fullscreen",
  "link", "focus-ring", "opacity", "column", "columns", "scroll-x", "g-col", "g-start", "grid", "grid-cols", "border-opacity", "text-opacity", "bg-opacity",
  "float", "object-fit", "translate", "position", "order", "offset", "sticky", "fixed", "z", "overflow-x", "cursor", "hide-theme", "bg-linear",
];

// Brand and extra colours: one accent and the colours of states are enough.
const colours = [
  "facebook", "x", "twitter", "linkedin", "google", "youtube", "vimeo", "dribbble", "github", "instagram", "pinterest", "vk", "rss",
  "flickr", "bitbucket", "tabler", "azure", "indigo", "purple", "pink", "lime", "teal", "cyan", "orange", "light", "dark", "muted-x",
  "blue", "gray-50", "gray-100", "gray-200", "gray-300", "gray-400", "gray-500", "gray-600", "gray-700", "gray-800", "gray-900",
];
const coloured = /^\.(?:bg|btn|btn-outline|btn-ghost|text|text-bg|border|status|badge|link|table|alert|list-group-item|theme|icon|avatar|card|progress|form|steps|nav|ribbon|tag|legend|divide)-([a-z0-9-]+?)(?:-lt|-fg)?$/;

const droppedMedia = [/min-width: (1200|1400)px/, /max-width: (1199|1399|767)\.98px/];

// Tabler 1.6 colours with light-dark(): color-scheme, set by orbit.css, is all that a theme needs.
const otherThemes = /data-bs-|data-theme|theme-dark|:host/;

function dropped(selector) {
  if (otherThemes.test(selector)) return true;
  const classes = selector.match(/\.-?[_a-zA-Z][\w-]*/g) || [];
  return classes.some((c) => {
    const name = c.slice(1);
    if (families.some((f) => name === f || name.startsWith(f.endsWith("-") ? f : f + "-"))) return true;
    if (/-(xl|xxl)(-|$)/.test(name)) return true;
    const colour = c.match(coloured);
    return colour !== null && colours.includes(colour[1]);
  });
}

const root = postcss.parse(fs.readFileSync(source, "utf8"));
root.walkComments((comment) => { if (!comment.text.startsWith("!")) comment.remove(); });
root.walkAtRules("media", (media) => { if (droppedMedia.some((m) => m.test(media.params))) media.remove(); });
root.walkRules((rule) => {
  if (rule.parent.type === "atrule" && /keyframes/.test(rule.parent.name)) return;
  const kept = rule.selectors.filter((s) => !dropped(s));
  if (kept.length === 0) rule.remove();
  else if (kept.length < rule.selectors.length) rule.selectors = kept;
});
// Custom properties that nothing reads any more; dropping one can orphan another.
const own = fs.readdirSync(ownFolder).map((name) => fs.readFileSync(`${ownFolder}/${name}`, "utf8")).join("");
for (let before = -1, left = 0; before !== left; ) {
  const text = root.toString() + own;
  const read = new Set([...text.matchAll(/var\(\s*(--[\w-]+)/g)].map((m) => m[1]));
  before = left;
  left = 0;
  root.walkDecls(/^--/, (decl) => { if (read.has(decl.prop)) left++; else decl.remove(); });
}
root.walkRules((rule) => { if (rule.nodes.length === 0) rule.remove(); });

// Keyframes that nothing names any more, and at-rules left empty.
const text = root.toString();
root.walkAtRules(/keyframes$/, (frames) => {
  if (!new RegExp(`animation(-name)?:[^;]*\\b${frames.params}\\b`).test(text)) frames.remove();
});
root.walkAtRules((at) => { if (at.nodes && at.nodes.length === 0) at.remove(); });

// The same text with no space that the browser does not need.
root.walk((node) => {
  node.raws.before = "";
  if (node.type === "rule") { node.raws.between = ""; node.selector = node.selector.replace(/\s*\n\s*/g, "").replace(/\s*([,>])\s*/g, "$1"); }
  if (node.type === "decl") { node.raws.between = ":"; node.value = node.value.replace(/\s*\n\s*/g, " "); }
  if (node.type === "rule" || node.type === "atrule") { node.raws.after = ""; node.raws.semicolon = false; }
  if (node.type === "comment") node.raws.before = "\n";
});
fs.writeFileSync(target, root.toString() + "\n");
