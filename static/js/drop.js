// A file dropped anywhere on the form is the one chosen in it; sent at once, as by its button, which works without this.

const form = document.querySelector("[data-drop]");
const input = form.querySelector("input[type=file]");
const over = (is) => form.toggleAttribute("data-over", is);

form.addEventListener("dragover", (event) => {
  event.preventDefault();
  over(true);
});
form.addEventListener("dragleave", (event) => {
  if (!form.contains(event.relatedTarget)) over(false);
});
form.addEventListener("drop", (event) => {
  event.preventDefault();
  over(false);
  if (!event.dataTransfer.files.length) return;
  input.files = event.dataTransfer.files;
  form.requestSubmit();
});
form.addEventListener("submit", () => form.toggleAttribute("data-busy", true));
window.addEventListener("pageshow", () => form.toggleAttribute("data-busy", false));
