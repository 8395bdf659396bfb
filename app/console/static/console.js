// Starts the components of nhsuk-frontend, sends the one form that needs no answer from a person, shows how far an
// import is, opens what there is to say about a kind of file, shows the fields that a choice asks for, and keeps a chosen
// file when its form comes back with a problem.
import { initAll } from "./nhsuk/nhsuk-frontend.min.js";

const EVERY = 1500;

document.body.classList.add("js-enabled", "nhsuk-frontend-supported");
initAll();
document.querySelector("form[data-send-at-once]")?.requestSubmit();

async function showProgress(place) {
  const answer = await fetch(place.dataset.progress, { headers: { accept: "application/json" } });
  if (!answer.ok || !answer.headers.get("content-type")?.startsWith("application/json")) return;
  const { state, done, total, text } = await answer.json();
  if (state !== place.dataset.state) {
    location.reload();
    return;
  }
  const bar = place.querySelector("progress");
  if (total !== null) {
    bar.max = total || 1;
    bar.value = done;
  }
  place.querySelector("[role=status]").textContent = text;
  setTimeout(showProgress, EVERY, place);
}

const progress = document.querySelector("[data-progress]");
if (progress) setTimeout(showProgress, EVERY, progress);

function showWhatIsAskedFor() {
  for (const part of document.querySelectorAll("[data-chosen]")) {
    const chosen = part.closest("form").querySelector(`input[name="${part.dataset.choice}"]:checked`);
    part.hidden = chosen?.value !== part.dataset.chosen;
  }
}
showWhatIsAskedFor();

document.addEventListener("change", ({ target }) => {
  showWhatIsAskedFor();
  if (target.name === "format") document.querySelector(`details[data-format="${target.value}"]`)?.setAttribute("open", "");
});

function keepFile() {
  const form = document.querySelector("form[data-keep-file]");
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form, event.submitter) });
    if (answer.redirected) {
      location.assign(answer.url);
      return;
    }
    const chosen = form.querySelector("input[type=file]");
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.title = next.title;
    document.querySelector("main").replaceWith(next.querySelector("main"));
    const empty = document.querySelector("form[data-keep-file] input[type=file]");
    if (empty) empty.files = chosen.files;
    if (chosen.files.length) {
      document.querySelector("[data-chosen-file]")?.removeAttribute("hidden");
      document.querySelector("[data-no-chosen-file]")?.setAttribute("hidden", "");
    }
    initAll({ scope: document.querySelector("main") });
    document.querySelector("form[data-keep-file] input[type=file]")?.dispatchEvent(new Event("change"));
    keepFile();
  });
}
keepFile();
