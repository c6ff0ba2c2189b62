// The lower edge: camera, API and queue, each with a word as well as a colour.

import { age, clock, t } from "./language.js";

const byId = (id) => document.getElementById(id);

function set(id, kind, text) {
  byId(id).className = `state ${kind}`;
  byId(id).lastElementChild.textContent = text;
}

export function status({ camera, api }) {
  const since = clock(camera.since);
  const cameraKind = { live: "good", opening: "", ended: "warn", lost: "bad" }[camera.state];
  set("s-camera", cameraKind, t(`camera.${camera.state}`, { since }));
  const apiKind = { online: "good", offline: "warn", key_refused: "bad", unknown: "" }[api.state];
  set("s-api", apiKind, t(`api.${api.state}`, { since: clock(api.since) }));
  const gaps = { n: api.waiting, parked: api.parked, age: api.oldest ? age(api.oldest) : "" };
  if (api.parked) set("s-queue", "bad", t(api.waiting ? "queue.parked_waiting" : "queue.parked", gaps));
  else if (api.waiting) set("s-queue", api.state === "online" ? "" : "warn", t("queue.waiting", gaps));
  else set("s-queue", "good", t("queue.empty"));
}

/** Over the picture: why there is none. */
export function cameraNote({ camera }, gone) {
  const note = byId("no-picture");
  note.hidden = !gone && camera.state === "live";
  note.lastElementChild.textContent = gone
    ? t("station_gone")
    : `${t(`camera.${camera.state}`, { since: clock(camera.since) })}${camera.reason ? ` — ${camera.reason}` : ""}`;
}
