// How well the two hear each other, from what the browser measures.

const PLAYOUT_MS = 10; // what decoding adds, on top of the jitter buffer

/**
 * The mean opinion score of a delay and a loss: 1 (bad) to 4.4. The E-model (ITU-T G.107) in the short form that voice
 * monitors use: one-way delay with twice the jitter counts little up to 160 ms, each percent of loss costs 2.5.
 */
export function opinionScore({ rttMs, jitterMs, lossPercent }) {
  const delay = rttMs / 2 + 2 * jitterMs + PLAYOUT_MS;
  const rating = 93.2 - (delay < 160 ? delay / 40 : (delay - 120) / 10) - 2.5 * lossPercent;
  if (rating <= 0) return 1;
  return 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6;
}

export const qualityOf = (score) => (score >= 4 ? "good" : score >= 3.5 ? "fair" : "poor");

/** Measures a call between one look and the next. */
export class QualityMeter {
  #received = 0;
  #lost = 0;

  /** `{quality, rttMs, lossPercent}` since the last look, or null while there is nothing to hear. */
  look(stats) {
    const all = [...(stats?.values() ?? [])];
    const inbound = all.find(({ type, kind }) => type === "inbound-rtp" && kind === "audio");
    const pair = all.find(({ type, nominated, state }) => type === "candidate-pair" && nominated && state === "succeeded");
    if (!inbound || !pair) return null;
    const received = inbound.packetsReceived - this.#received;
    const lost = Math.max(0, inbound.packetsLost - this.#lost);
    [this.#received, this.#lost] = [inbound.packetsReceived, inbound.packetsLost];
    if (received < 0 || received + lost === 0) return null; // another connection, or silence
    const rttMs = (pair.currentRoundTripTime ?? 0) * 1000;
    const lossPercent = (100 * lost) / (received + lost);
    const score = opinionScore({ rttMs, jitterMs: (inbound.jitter ?? 0) * 1000, lossPercent });
    return { quality: qualityOf(score), rttMs, lossPercent };
  }
}
