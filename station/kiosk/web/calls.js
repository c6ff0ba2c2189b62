// The few calls that change something. The token proves that the call comes from this page.

const token = document.querySelector("meta[name=token]").content;

export class Refusal extends Error {
  constructor(code, text, wait) {
    super(text);
    this.code = code;
    this.wait = wait;
  }
}

export async function call(name, body = {}) {
  let answer;
  try {
    answer = await fetch(`api/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Lastlook-Token": token },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Refusal("station_gone", "", 0);
  }
  if (answer.ok) return;
  if (answer.status === 403 && !answer.headers.get("content-type")?.includes("json")) {
    location.reload(); // the station was started again and this page has the old token
  }
  const told = await answer.json().catch(() => ({}));
  throw new Refusal(told.code ?? "failed", told.text ?? "", told.wait ?? 0);
}
