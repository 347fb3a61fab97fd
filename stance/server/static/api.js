// Talks to the server: one article in, progress and a document out.

/**
 * @param {{text: string, format: string}} article
 * @param {{token: string, signal: AbortSignal, onProgress: (share: number) => void}} options
 * @returns {Promise<object>} the document with the keys html and csv
 * @throws {Error} with the server's own words, and its status as `status`
 */
export async function classify(article, { token, signal, onProgress }) {
  const headers = { "Content-Type": "application/json", Accept: "application/x-ndjson" };
  if (token) headers.Authorization = `Bearer ${token}`;
  const body = JSON.stringify({ ...article, also: ["html", "csv"] });
  const reply = await fetch("v1/classify", { method: "POST", headers, body, signal });
  if (!reply.ok) throw await problem(reply);
  for await (const line of lines(reply.body)) {
    if (line.detail) throw new Error(line.detail);
    if (line.result) return line.result;
    onProgress(line.progress);
  }
  throw new Error("the server went away before it was done");
}

async function problem(reply) {
  const { detail } = await reply.json().catch(() => ({ detail: reply.statusText }));
  return Object.assign(new Error(detail || `the server answered ${reply.status}`), { status: reply.status });
}

async function* lines(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ""; ; ) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    for (const part of parts) yield JSON.parse(part);
  }
}
