// Collects the icons of a list into one SVG file of symbols: a page asks for <use href="icons.svg#name">.
import fs from "node:fs";

const [list, folder, target] = process.argv.slice(2);
const names = fs.readFileSync(list, "utf8").split("\n").map((line) => line.trim()).filter((line) => line && !line.startsWith("#"));

const symbols = names.map((line) => {
  const [id, drawn = line] = line.split("=");
  const file = drawn.includes("/") ? `${folder}/${drawn}.svg` : `${folder}/outline/${drawn}.svg`;
  const svg = fs.readFileSync(file, "utf8");
  const body = svg.slice(svg.indexOf(">") + 1, svg.lastIndexOf("</svg>"))
    .replace(/<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*\/>/, "").replace(/\s+/g, " ").trim();
  const paint = file.includes("/filled/")
    ? 'fill="currentColor" stroke="none"'
    : 'fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round"';
  return `<symbol id="${id}" viewBox="0 0 24 24" ${paint}>${body}</symbol>`;
});
fs.writeFileSync(target, `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`);
