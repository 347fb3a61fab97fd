// The page: takes an article, shows progress and result, and hands out files.

import { classify } from "./api.js";
import { show } from "./result.js";

const byId = (id) => document.getElementById(id);
const [text, file, error, working, progress] = ["text", "file", "error", "working", "progress"].map(byId);
let format = "text";
let name = "article";
let result = null;
let running = null;

byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  read();
});
byId("sample").addEventListener("click", async () => {
  fill(await (await fetch("static/sample.txt")).text(), "text", "sample");
  read();
});
byId("choose").addEventListener("click", () => file.click());
file.addEventListener("change", () => {
  open(file.files[0]);
  file.value = ""; // or else the same file could not be chosen again
});
text.addEventListener("input", () => {
  format = "text";
  name = "article";
});
// Anywhere: beside the field, the browser would leave the page for the file.
document.addEventListener("dragover", (event) => {
  if (!event.dataTransfer.types.includes("Files")) return;
  event.preventDefault();
  text.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) text.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  text.classList.remove("dropping");
  if (event.dataTransfer.files.length === 0) return;
  event.preventDefault();
  open(event.dataTransfer.files[0]);
});
byId("stop").addEventListener("click", () => running?.abort());
byId("json").addEventListener("click", () => {
  const { html, csv, called, ...line } = result;
  download(`${JSON.stringify(line)}\n`, "application/json", "json");
});
byId("csv").addEventListener("click", () => download(`\ufeff${result.csv}`, "text/csv", "csv")); // marked as UTF-8

function fill(content, kind, called) {
  text.value = content;
  format = kind;
  name = called;
}

async function open(chosen) {
  if (!chosen) return;
  const match = /^(.*)\.(txt|html?)$/i.exec(chosen.name);
  if (!match) return fail("Only .txt and .html files can be read here.");
  try {
    const content = new TextDecoder("utf-8", { fatal: true }).decode(await chosen.arrayBuffer());
    fill(content, match[2].toLowerCase() === "txt" ? "text" : "html", match[1]);
  } catch {
    return fail(`${chosen.name} is not UTF-8; save it as UTF-8.`);
  }
  read();
}

async function read() {
  if (text.value.trim() === "") return fail("There is no text yet: paste an article, or use the sample.");
  running?.abort();
  const own = (running = new AbortController());
  const called = name;
  error.hidden = true;
  working.hidden = false;
  progress.removeAttribute("value");
  try {
    const found = await classify(
      { text: text.value, format },
      { token: byId("token").value, signal: own.signal, onProgress: (share) => (progress.value = share) },
    );
    if (found.sentences.length === 0) throw new Error("No article was found in this page.");
    result = { ...found, called };
    byId("input").open = false;
    byId("result").hidden = false;
    show(result);
    byId("result").focus();
  } catch (problem) {
    if (own.signal.aborted) return;
    if (problem.status === 401) byId("token").hidden = byId("token-label").hidden = false;
    fail(problem instanceof TypeError ? "The server cannot be reached." : problem.message);
  } finally {
    if (running === own) working.hidden = true;
  }
}

function fail(message) {
  error.textContent = message;
  error.hidden = false;
}

function download(content, type, extension) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: `${type};charset=utf-8` }));
  link.download = `${result.called}.${extension}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href));
}
