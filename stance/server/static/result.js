// The result: the server's own HTML, with filters by speaker and label on top of it.

const article = document.getElementById("article");
const filters = document.getElementById("filters");
const speaker = document.getElementById("speaker");
const labels = document.getElementById("labels");
const status = document.getElementById("status");
const VERBS = ["assertion", "denial", "allegation", "none"];

filters.addEventListener("change", apply);
filters.addEventListener("reset", () => setTimeout(apply));
filters.addEventListener("submit", (event) => event.preventDefault());

/** Show a document that the server rendered. */
export function show(result) {
  article.innerHTML = result.html;
  const rows = [...article.querySelectorAll("tbody tr")];
  speaker.replaceChildren(new Option("all speakers", ""));
  for (const row of rows) {
    const name = row.querySelector(".name");
    speaker.append(new Option(name.textContent, row.dataset.speaker));
    name.replaceChildren(button(name.textContent, row.dataset.speaker));
  }
  labels.replaceChildren(...VERBS.map(checkbox));
  apply();
}

function button(name, index) {
  const element = document.createElement("button");
  element.type = "button";
  element.textContent = name;
  element.title = "Show only this speaker's sentences";
  element.addEventListener("click", () => {
    speaker.value = speaker.value === index ? "" : index;
    apply();
    document.getElementById("result").scrollIntoView();
  });
  return element;
}

function checkbox(label) {
  const count = article.querySelectorAll(`.sentence[data-label="${label}"]`).length;
  const sign = getComputedStyle(document.documentElement).getPropertyValue(`--stance-${label}-sign`);
  const element = document.createElement("label");
  element.className = label;
  const input = Object.assign(document.createElement("input"), { type: "checkbox", name: label, defaultChecked: true });
  const mark = document.createElement("b");
  mark.ariaHidden = "true";
  mark.textContent = sign.replaceAll('"', "").trim();
  element.append(input, mark, ` ${label} ${count}`);
  return element;
}

function apply() {
  const wanted = new Set([...labels.querySelectorAll("input:checked")].map((input) => input.name));
  const sentences = [...article.querySelectorAll(".sentence")];
  for (const sentence of sentences) {
    const { label, speaker: whose } = sentence.dataset;
    sentence.hidden = !wanted.has(label) || (speaker.value !== "" && whose !== speaker.value);
  }
  for (const row of article.querySelectorAll("tbody tr")) {
    const chosen = row.dataset.speaker === speaker.value;
    row.hidden = speaker.value !== "" && !chosen;
    row.querySelector("button").ariaPressed = String(chosen);
  }
  const shown = sentences.filter((sentence) => !sentence.hidden).length;
  const who = speaker.value === "" ? "" : `, of ${speaker.selectedOptions[0].text}`;
  status.textContent = `${shown} of ${sentences.length} sentences${who}`;
}
