// The alarm: sounds as long as there is an alert that nobody has taken, louder with each escalation.

import { write } from "../text.js";

const LOUDNESS = { first: 0.35, step: 0.2, most: 1 };
const BLOCKED_AFTER_MS = 700; // a sound that is only slow to start is not blocked
const WORDS = {
  quiet: "Mute the alarm",
  sounding: "Mute the alarm",
  elsewhere: "Mute the alarm, which sounds in another tab",
  blocked: "Mute the alarm",
  muted: "Muted",
};

const loudness = (level) => Math.min(LOUDNESS.most, LOUDNESS.first + LOUDNESS.step * level);
const isUrgent = ({ severity, drill }) => !drill && (severity === "critical" || severity === "high");

/** Ties the sound to the alerts; `button` mutes, `hint` shows while the browser blocks sound. */
export function connectAlarm({ alerts, sound, button, hint }) {
  const decide = () => {
    const untaken = alerts.untaken();
    if (untaken.length === 0) return sound.stop();
    const loud = loudness(Math.max(...untaken.map(({ escalationLevel = 0 }) => escalationLevel)));
    button.dataset.loudness = loud.toFixed(2);
    return sound.repeat(untaken.some(isUrgent) ? "urgent" : "notice", loud);
  };
  let timer;
  const show = () => {
    button.dataset.state = sound.state;
    button.setAttribute("aria-pressed", String(sound.state === "muted"));
    write(button.querySelector(".sound-word"), WORDS[sound.state]);
    clearTimeout(timer);
    if (sound.state !== "blocked") hint.hidden = true;
    else timer = setTimeout(() => (hint.hidden = false), BLOCKED_AFTER_MS);
  };
  alerts.addEventListener("change", decide);
  sound.addEventListener("change", show);
  button.addEventListener("click", () => sound.toggleMute());
  show();
}
