// Sounds that are made, not loaded.

const EDGE_S = 0.01; // of rising and falling: a tone that begins at once clicks

/**
 * A buffer that holds tones and the silence after them, to be repeated without a timer, which a hidden tab would be
 * denied. Each tone: when it begins, how long it lasts (seconds), how high it is (hertz); several may sound at once.
 */
export function toneBuffer(context, { everyS, tones }) {
  const rate = context.sampleRate;
  const buffer = context.createBuffer(1, Math.ceil(everyS * rate), rate);
  const samples = buffer.getChannelData(0);
  for (const [beginS, lengthS, hertz, loudness = 0.7] of tones) {
    const first = Math.floor(beginS * rate);
    for (let i = 0; i < lengthS * rate; i++) {
      const at = i / rate;
      const edge = Math.min(1, at / EDGE_S, (lengthS - at) / EDGE_S);
      const phase = 2 * Math.PI * hertz * at;
      samples[first + i] += edge * loudness * (Math.sin(phase) + 0.3 * Math.sin(3 * phase));
    }
  }
  return buffer;
}
