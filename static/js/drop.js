// A file dropped anywhere on the page is the one chosen in the form; sent at once, as by its button, which works without
// this. Where one is kept there is no form, and where several are dropped nobody can tell which is meant: that is said.

const form = document.querySelector("[data-drop]");
const input = form?.querySelector("input[type=file]");
const notes = [...document.querySelectorAll("[data-said]")];
const say = (word) => notes.forEach((note) => (note.hidden = note.dataset.said !== word));
const over = (is) => form?.toggleAttribute("data-over", is);
const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");

document.addEventListener("dragover", (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault();
  over(true);
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) over(false);
});
document.addEventListener("drop", (event) => {
  if (!holdsFiles(event)) return;
  event.preventDefault(); // else the browser would open the file in place of the page
  over(false);
  const { files } = event.dataTransfer;
  if (!form) return say("kept");
  if (files.length > 1) return say("several");
  say("");
  if (!files.length || form.hasAttribute("data-busy")) return;
  input.files = files;
  form.requestSubmit();
});
form?.addEventListener("submit", () => form.toggleAttribute("data-busy", true));
window.addEventListener("pageshow", () => form?.toggleAttribute("data-busy", false));
