// Small conveniences; every page works without them.

async function copy(button) {
  const source = button.dataset.copyFrom;
  const text = source ? document.querySelector(source).textContent : button.dataset.copy;
  await navigator.clipboard.writeText(text);
  button.dataset.copied = "";
  setTimeout(() => delete button.dataset.copied, 1200);
}

// Browsers copy on secure pages and on this machine only.
if (!navigator.clipboard) document.documentElement.dataset.noClipboard = "";

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from]");
  if (button) copy(button);
});

// Who presses a button twice means it once, even if the first press has put another move in its place meanwhile.
document.addEventListener("click", (event) => {
  const form = event.target.closest("[type=submit]")?.form;
  if (form?.method === "post" && (event.detail > 1 || form.matches(".htmx-request"))) event.preventDefault();
});

// Single keys are shortcuts, unless they are typed into something or the person has switched them off. Of several elements
// with the same key the last counts, which is the nearest to the content. A key of none is others' to listen for.
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], dialog");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || localStorage.getItem("keys-off")) return;
  const found = [...document.querySelectorAll(`[data-shortcut="${CSS.escape(event.key)}"]`)].at(-1);
  if (!found) {
    document.dispatchEvent(new CustomEvent("shortcut", { detail: event }));
    return;
  }
  event.preventDefault();
  if (found.matches("input")) {
    found.focus();
    found.select();
  } else {
    found.click();
  }
});

// The list of keys, with the switch that turns them off.
document.addEventListener("click", (event) => {
  if (event.target.closest("#keys-open")) {
    document.getElementById("keys-on").checked = !localStorage.getItem("keys-off");
    document.getElementById("keys").showModal();
  }
});

document.addEventListener("change", (event) => {
  if (event.target.id !== "keys-on") return;
  if (event.target.checked) localStorage.removeItem("keys-off");
  else localStorage.setItem("keys-off", "1");
});

// A link to a row that stands on another page of rows, or on another tab: ask the server for the page that holds it.
const row = location.hash.match(/^#row-(-?\d+)$/);
if (row && !document.getElementById(location.hash.slice(1))) {
  const address = new URL(location.href);
  if (address.searchParams.get("row") !== row[1]) {
    const errors = document.querySelector(".tabs a[href$='/errors/']");
    if (errors && !document.querySelector(".row-filter")) address.pathname = errors.pathname;
    address.search = `?row=${row[1]}`;
    location.replace(address);
  }
}

// One that comes with a poll is marked once it is here.
document.addEventListener("htmx:afterSettle", () => {
  if (location.hash.length > 1 && document.getElementById(location.hash.slice(1)) && !document.querySelector(":target")) {
    location.replace(location.hash);
  }
});

// On a narrow screen the current tab may stand outside the strip of tabs, which alone is moved: the page stays where it is.
const tab = document.querySelector(".tabs [aria-current]");
const strip = tab?.closest(".tabs");
if (strip) {
  const [seen, wanted] = [strip, tab].map((each) => each.getBoundingClientRect());
  strip.scrollLeft += (wanted.left + wanted.right - seen.left - seen.right) / 2;
}

// A menu closes like one: by Escape, by a click beside it, and once something in it was chosen.
const openMenus = () => document.querySelectorAll("details[data-menu][open]");
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
    menu.open = false;
  }
});
document.addEventListener("click", (event) => {
  for (const menu of openMenus()) {
    if (!menu.contains(event.target) || event.target.closest("a")) menu.open = false;
  }
});
