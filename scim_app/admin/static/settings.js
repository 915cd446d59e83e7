// Comfort only: every page works without this script.
"use strict";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  field.select();
  await navigator.clipboard.writeText(field.value);
  const label = button.querySelector("[data-said]");
  const before = label.textContent;
  label.textContent = "Copied";
  setTimeout(() => { label.textContent = before; }, 1600);
});

// On a narrow screen the sections are one line: the present one is moved into sight.
const here = document.querySelector(".nav [aria-current]");
if (here) here.parentElement.scrollLeft = here.offsetLeft - (here.parentElement.clientWidth - here.offsetWidth) / 2;

for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;

const form = document.querySelector("form[data-live]");
if (form) {
  let waiting;
  let newest = 0;
  const refresh = async () => {
    const mine = ++newest;
    const address = new URL(form.action);
    for (const [name, value] of new FormData(form)) if (value) address.searchParams.set(name, value);
    const results = document.getElementById("results");
    results.classList.add("busy");
    const answer = await fetch(address, { credentials: "same-origin", headers: { Accept: "text/html" } });
    if (mine !== newest) return;
    if (answer.redirected || !answer.ok) { location.assign(address); return; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.getElementById("results");
    if (!found) { location.assign(address); return; }
    results.replaceWith(found);
    history.replaceState(null, "", address);
  };
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(refresh, 180); });
  form.addEventListener("submit", (event) => { event.preventDefault(); clearTimeout(waiting); refresh(); });
}
