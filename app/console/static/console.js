// Starts the components of nhsuk-frontend, and sends the one form that needs no answer from a person.
import { initAll } from "./nhsuk/nhsuk-frontend.min.js";

document.body.classList.add("js-enabled", "nhsuk-frontend-supported");
initAll();
document.querySelector("form[data-send-at-once]")?.requestSubmit();
