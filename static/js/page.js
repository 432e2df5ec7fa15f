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

// One key leads to the search box, unless it is being typed into something.
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, textarea, select, [contenteditable]");
  const box = document.querySelector(`[data-shortcut="${CSS.escape(event.key)}"]`);
  if (isTyping || !box || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  box.focus();
  box.select();
});

// A link to a row that stands on another page of rows: ask the server for the page that holds it.
const row = location.hash.match(/^#row-(-?\d+)$/);
if (row && !document.getElementById(location.hash.slice(1))) {
  const address = new URL(location.href);
  if (address.searchParams.get("row") !== row[1]) {
    address.search = `?row=${row[1]}`;
    location.replace(address);
  }
}

// On a narrow screen the current tab may stand outside the strip of tabs.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// The account menu closes like one.
const menu = document.querySelector(".account");
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && menu?.open) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
document.addEventListener("click", (event) => {
  if (menu?.open && !menu.contains(event.target)) menu.open = false;
});
