// Calls in words.

const PHASES = {
  microphone: "Microphone", dialing: "Calling", ringing: "Ringing", connecting: "Connecting",
  talking: "Talking", interrupted: "Interrupted", over: "Ended",
};
const NOTES = {
  microphone: "Your browser may ask whether this page may use the microphone. Choose Allow.",
  dialing: "Reaching the server…",
  ringing: "It rings there. You can hang up at any time.",
  connecting: "Answered. Connecting the two of you…",
  talking: "",
  interrupted: "The sound was interrupted. Looking for another way; you need not call again.",
};
const REASONS = {
  hangup: "The call has ended.",
  max_duration: "The call has ended: it was as long as a call may be.",
  closed: "Somebody else has ended the call.",
  timeout: "Nobody answered.",
  cancelled: "You hung up before anybody answered.",
  offline: "Nobody is connected there. Write a message: it is delivered as soon as somebody is.",
  declined: "They do not take the call.",
  busy: "They are in another call. Try again in a moment.",
  connection_lost: "The call has ended: the connection of one side was lost for too long.",
  media_failure: "The call has ended: no sound got through. The network of one side may block it; try again, or write a message.",
};
const FAULTS = {
  microphone_denied: "The browser does not let this page use the microphone. Allow it by the sign beside the address, then call again.",
  microphone_missing: "There is no microphone. Connect one, then call again.",
  microphone_busy: "The microphone cannot be used: another program may hold it. Close that, then call again.",
  microphone_insecure: "Calls need a secure address (https). Ask whoever runs this server.",
};

export const phaseWord = (call) => (call.phase === "talking" && call.muted ? "Muted" : PHASES[call.phase]);
export const partyName = (id) => (id === "dispatch" ? "Dispatch" : id);

/** What a person should know of the call; `texts` maps the server's error codes to `{title, advice}`. */
export function noteOf(call, texts = {}) {
  if (call.fault) return faultText(call.fault, texts);
  if (call.phase !== "over") return NOTES[call.phase];
  if (call.reason === "elsewhere") return call.state === "active" ? `${call.by} has answered it.` : "It rings no longer.";
  return REASONS[call.reason] ?? "The call has ended.";
}

function faultText({ code, message, details = {} }, texts) {
  if (FAULTS[code]) return FAULTS[code];
  if (code === "conflict" && details.callId) return "You are in another call, in another tab or window. End that one first.";
  const text = texts[code];
  const wait = details.retryAfterMs ? `Try again in ${Math.ceil(details.retryAfterMs / 1000)} s.` : text?.advice;
  return text ? `${text.title} ${wait}` : (message ?? "The call could not be made. Try again.");
}

/** A length of time as a clock shows it: "0:07", "12:40", "1:02:03". */
export function clockText(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value) => String(value % 60).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes}:${two(seconds)}` : `${Math.floor(minutes / 60)}:${two(minutes)}:${two(seconds)}`;
}
