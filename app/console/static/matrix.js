// The matrix of a mapping exercise: arrows move, a letter fills the cell and sends it at once.
const grid = document.querySelector("[data-matrix]");
const WORDS = { full: "Full", partial: "Part", none: "None", not_applicable: "n/a", "": "" };
const KEYS = { f: "full", p: "partial", n: "none", x: "not_applicable", Delete: "", Backspace: "" };
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function cells() {
  return [...grid.querySelectorAll("tbody tr")].map((row) => [...row.querySelectorAll("td")]);
}

function place(cell) {
  const rows = cells();
  const row = rows.findIndex((line) => line.includes(cell));
  return [rows, row, rows[row].indexOf(cell)];
}

function focus(cell) {
  grid.querySelector("td[tabindex='0']")?.setAttribute("tabindex", "-1");
  cell.tabIndex = 0;
  cell.focus();
}

let waiting = Promise.resolve();

async function send(cell, coverage) {
  const told = document.querySelector("[data-matrix-told]");
  const body = new URLSearchParams({
    token: grid.dataset.token,
    version: grid.dataset.version,
    course: cell.dataset.course,
    topic: cell.parentElement.dataset.topic,
    clause: cell.parentElement.dataset.clause,
    coverage,
    evidence_note: cell.dataset.note ?? "",
  });
  const answer = await fetch(grid.dataset.matrix, { method: "POST", body });
  const json = answer.headers.get("content-type")?.startsWith("application/json");
  const said = json ? await answer.json() : { message: "It was not saved. Load the page again." };
  if (!answer.ok || said.revision === undefined) {
    told.textContent = said.message;
    return;
  }
  grid.dataset.version = said.revision;
  document.querySelectorAll("input[data-revision]").forEach((input) => {
    input.value = said.revision;
  });
  cell.className = coverage ? `medstead-cell--${coverage}` : "";
  cell.textContent = WORDS[coverage];
  told.textContent = coverage ? `Saved: ${WORDS[coverage]}` : "Saved: not assessed";
}

if (grid && grid.dataset.matrix) {
  grid.addEventListener("keydown", (event) => {
    const cell = event.target.closest("td");
    if (!cell || event.ctrlKey || event.metaKey || event.altKey) return;
    const [rows, row, column] = place(cell);
    if (event.key in MOVES) {
      const [down, right] = MOVES[event.key];
      const next = rows[row + down]?.[column + right];
      if (next) focus(next);
      event.preventDefault();
      return;
    }
    const coverage = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
    if (coverage === undefined) return;
    event.preventDefault();
    // One after the other: each answer tells the revision that the next one needs.
    waiting = waiting.then(() => send(cell, coverage));
  });
  grid.addEventListener("click", (event) => {
    const cell = event.target.closest("td");
    if (cell) focus(cell);
  });
}
