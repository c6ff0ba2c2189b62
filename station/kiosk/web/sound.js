// Two sounds that cannot be confused: two rising notes for release, a low double buzz for everything that needs hands.

let context = null;
export let muted = localStorage.getItem("muted") === "yes";

export function mute(wanted) {
  muted = wanted;
  localStorage.setItem("muted", wanted ? "yes" : "no");
}

/** Browsers let a page sound only after a key or a touch; a scan is one. */
export function wake() {
  context ??= new AudioContext();
  if (context.state === "suspended") context.resume();
}

function note(frequency, from, length, type, loudness) {
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  oscillator.type = type;
  oscillator.frequency.value = frequency;
  gain.gain.setValueAtTime(0, context.currentTime + from);
  gain.gain.linearRampToValueAtTime(loudness, context.currentTime + from + 0.015);
  gain.gain.setValueAtTime(loudness, context.currentTime + from + length - 0.04);
  gain.gain.linearRampToValueAtTime(0, context.currentTime + from + length);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(context.currentTime + from);
  oscillator.stop(context.currentTime + from + length);
}

export function sound(kind) {
  if (muted || context?.state !== "running") return;
  if (kind === "release") {
    note(784, 0, 0.13, "sine", 0.5);
    note(1175, 0.14, 0.22, "sine", 0.5);
  } else {
    note(196, 0, 0.2, "sawtooth", 0.35);
    note(196, 0.28, 0.3, "sawtooth", 0.35);
  }
}
