// Work on a batch's rows: move along them by keyboard, select some, copy them as a table. They are read and filtered without.

const boxes = () => [...document.querySelectorAll(".pick")];
const rowOf = (box) => box.closest("tr");
const said = () => document.querySelector("[id^='said-of-']");

// ---- selection ----

let rangeStart = ""; // the id of the box that was ticked or cleared last

/** "1 row selected", "17 rows selected" and the like, as the page words them. */
function phrase(kind, count) {
  return said().dataset[count === 1 ? `${kind}One` : `${kind}Many`].replace("#", count);
}

function say(text) {
  if (said().textContent !== text) said().textContent = text;
}

function showSelection() {
  const bar = document.querySelector(".selection");
  if (!bar) return;
  const all = boxes();
  const count = all.filter((box) => box.checked).length;
  const every = document.getElementById("pick-all");
  every.checked = count > 0 && count === all.length;
  every.indeterminate = count > 0 && count < all.length;
  if (bar.hidden && !count) return;
  bar.hidden = !count;
  bar.querySelector("strong").textContent = count ? phrase("selected", count) : "";
  say(bar.querySelector("strong").textContent);
}

function tickAll(isTicked) {
  for (const box of boxes()) box.checked = isTicked;
  showSelection();
}

function tickRange(box) {
  const all = boxes();
  const ends = [all.findIndex((each) => each.id === rangeStart), all.indexOf(box)].sort((one, other) => one - other);
  if (ends[0] < 0) return;
  for (const each of all.slice(ends[0], ends[1] + 1)) each.checked = box.checked;
}

document.addEventListener("click", (event) => {
  if (event.target.id === "pick-all") tickAll(event.target.checked);
  if (event.target.closest("[data-clear]")) tickAll(false);
  const box = event.target.closest(".pick");
  if (!box) return;
  if (event.shiftKey) tickRange(box);
  rangeStart = box.id;
  showSelection();
});

// Before the menus, which the same key closes.
document.addEventListener(
  "keydown",
  (event) => {
    const isOthers = event.target.closest("input:not([type=checkbox]), dialog");
    if (event.key !== "Escape" || isOthers || document.querySelector("details[data-menu][open]")) return;
    if (boxes().some((box) => box.checked)) tickAll(false);
  },
  { capture: true },
);

// ---- from row to row ----

let current = ""; // the id of the box in the row that was last in focus
let arriving = null; // on the way to another page of rows: the first box of this one, and which end to begin at

function goTo(box) {
  box.focus({ preventScroll: true });
  rowOf(box).scrollIntoView({ block: "nearest" });
}

/** Where to begin: at the row that the address points to, if any. */
function beginning() {
  const target = document.querySelector("tr:target .pick");
  return target ?? boxes()[0];
}

function move(step) {
  const all = boxes();
  const at = all.findIndex((box) => box.id === current);
  const next = at < 0 ? beginning() : all[at + step];
  if (next) goTo(next);
  else turnPage(step);
}

function turnPage(step) {
  const link = document.getElementById(step > 0 ? "rows-later" : "rows-earlier");
  if (!link) return;
  arriving = { from: boxes()[0].id, end: step > 0 ? 0 : -1 };
  link.click();
}

function arrive() {
  const all = boxes();
  if (!arriving || !all.length || all[0].id === arriving.from) return;
  goTo(all.at(arriving.end));
  arriving = null;
}

function tick(isRange) {
  const box = document.getElementById(current);
  box?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey: isRange }));
}

const KEYS = { j: () => move(1), k: () => move(-1), x: () => tick(false), X: () => tick(true) };

document.addEventListener("shortcut", ({ detail: event }) => {
  if (!Object.hasOwn(KEYS, event.key) || !boxes().length) return;
  event.preventDefault();
  KEYS[event.key]();
});

document.addEventListener("focusin", (event) => {
  const box = event.target.closest("tr")?.querySelector(".pick");
  if (box) current = box.id;
});

// Enter in the filter leads to the first row that fits, Escape out of it: the keys of the rows work again.
document.addEventListener("keydown", (event) => {
  if (!event.target.matches(".row-filter input[type=search]")) return;
  if (event.key === "Enter") arriving = { from: "", end: 0 };
  if (event.key === "Escape") {
    event.preventDefault();
    event.target.blur();
  }
});

// Who goes on to something else meanwhile is not called back.
for (const other of ["input", "pointerdown"]) {
  document.addEventListener(other, () => (arriving = null));
}

// ---- copy as a table ----

// What looks like nothing in front of a formula does not make it a text; the same as in batches/exports/text.py.
const UNSEEN =
  "\\s\\x00-\\x1f\\x7f-\\x9f\\xad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u2028-\\u202e" +
  "\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff9-\\ufffb\\u{e0000}-\\u{e0fff}";
const FORMULA = new RegExp(`^[${UNSEEN}]*[=+\\-@＝＋－＠]`, "u");
const WHOLE_NUMBER = /^-\d+$/;

/** A cell's text on one line, which no spreadsheet takes for a formula. What we advise is no part of what Amili said. */
function textOf(cell) {
  const copy = cell.cloneNode(true);
  for (const ours of copy.querySelectorAll(".advice")) ours.remove();
  for (const name of copy.querySelectorAll("dt")) name.append(":");
  const text = copy.textContent.replace(/\s+/g, " ").trim().replace(/^–( |$)/, ""); // a dash stands for nothing
  return FORMULA.test(text) && !WHOLE_NUMBER.test(text) ? `'${text}` : text;
}

/** As HTML for mails and documents, as tab separated values for everything else. */
function asTable(rows) {
  const table = document.createElement("table");
  const lines = rows.map((row) => {
    const line = table.insertRow();
    return [...row.cells].map((cell) => {
      const copy = line.appendChild(document.createElement(cell.localName));
      return (copy.textContent = textOf(cell));
    });
  });
  table.createTHead().append(table.rows[0]);
  return { "text/html": table.outerHTML, "text/plain": lines.map((line) => line.join("\t")).join("\n") };
}

async function copyRows(button) {
  const all = boxes();
  const ticked = all.filter((box) => box.checked);
  const rows = (ticked.length ? ticked : all).map(rowOf);
  const kinds = asTable([rowOf(all[0]).closest("table").tHead.rows[0], ...rows]);
  await navigator.clipboard.write([new ClipboardItem(kinds)]);
  button.dataset.copied = rows.length;
  setTimeout(() => delete button.dataset.copied, 1200);
  say(phrase("copied", rows.length));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy-rows]");
  if (button) copyRows(button);
});

document.addEventListener("htmx:afterSettle", () => {
  showSelection();
  arrive();
});
showSelection();
