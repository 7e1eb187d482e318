// The microphone: which there are, which is chosen, and what is wrong when there is none.

const NAME = "v2v.microphone";
const FAULTS = {
  NotAllowedError: "microphone_denied",
  SecurityError: "microphone_denied",
  NotFoundError: "microphone_missing",
  OverconstrainedError: "microphone_missing",
  NotReadableError: "microphone_busy",
  AbortError: "microphone_busy",
};

/** Open the chosen microphone, or the browser's own choice. Rejects with `{code}`. */
export async function openMicrophone(deviceId = chosen()) {
  if (!navigator.mediaDevices) throw { code: "microphone_insecure" };
  const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  try {
    // `ideal`: one that was unplugged since is no reason to be silent.
    return await navigator.mediaDevices.getUserMedia({ audio: { ...audio, ...(deviceId && { deviceId: { ideal: deviceId } }) } });
  } catch (fault) {
    throw { code: FAULTS[fault.name] ?? "microphone_busy" };
  }
}

/** Those that there are, `{id, name}`; named only once a microphone may be used. */
export async function microphones() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  const found = devices.filter(({ kind, deviceId }) => kind === "audioinput" && deviceId);
  return found.map(({ deviceId, label }, i) => ({ id: deviceId, name: label || `Microphone ${i + 1}` }));
}

/** Keep the choice for the next call. */
export function choose(deviceId) {
  try {
    localStorage.setItem(NAME, deviceId);
  } catch {
    // A browser that refuses storage forgets.
  }
}

function chosen() {
  try {
    return localStorage.getItem(NAME);
  } catch {
    return null;
  }
}
