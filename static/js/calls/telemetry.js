// Telemetry between the two of a call, ten times a second over the data channel, when both want it. A frame that is lost
// is not sent again: the next one is newer.

const EVERY_MS = 100;
const WORD_EVERY = 10; // frames: what each side wants is said once a second, for it may be lost, too
const MOST_WAITING = 2000; // bytes; a channel that is slower gets fewer frames
const RATE_OVER_MS = 2000;
const NUMBERS = { ts: [0, 4.1e12], lat: [-90, 90], lng: [-180, 180], speed: [0, 200], heading: [0, 360], battery: [0, 100] };

/** What of a frame is a number within its bounds: the other side is trusted with nothing. */
function checked(frame) {
  const found = {};
  for (const [name, [least, most]] of Object.entries(NUMBERS)) {
    const value = frame[name];
    if (typeof value === "number" && value >= least && value <= most) found[name] = value;
  }
  return found;
}

/** `fix` is the last that came, with `hertz`, or null; `change` tells. */
export class Telemetry extends EventTarget {
  #source;
  #channel = null;
  #timer = null;
  #frames = 0;
  #theyWant = false;
  #came = [];
  wanted = true;
  fix = null;

  /** `source` gives this side's own `{ts, lat, lng, speed?, heading?, battery?}`, or null when it has none. */
  constructor(source = () => null) {
    super();
    this.#source = source;
  }

  /** Use a call's channel. */
  open(channel) {
    this.close();
    this.#channel = channel;
    channel.addEventListener("message", ({ data }) => this.#hear(data));
    channel.addEventListener("close", () => channel === this.#channel && this.close());
    this.#timer = setInterval(() => this.#send(), EVERY_MS);
  }

  close() {
    clearInterval(this.#timer);
    this.#channel = null;
    this.#theyWant = false;
    this.#came = [];
    this.fix = null;
    this.#tell();
  }

  /** Whether this side takes part. */
  want(wanted) {
    this.wanted = wanted;
    this.#frames = 0; // say so at once
    if (!wanted) this.fix = null;
    this.#tell();
  }

  #send() {
    const channel = this.#channel;
    if (channel.readyState !== "open" || channel.bufferedAmount > MOST_WAITING) return;
    const own = this.wanted && this.#theyWant ? this.#source() : null;
    const word = this.#frames++ % WORD_EVERY === 0;
    if (own || word) channel.send(JSON.stringify({ ...(word && { want: this.wanted }), ...own }));
  }

  #hear(data) {
    let frame = null;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    if (typeof frame?.want === "boolean") this.#theyWant = frame.want;
    const fix = checked(frame ?? {});
    const isNewer = fix.ts !== undefined && !(this.fix?.ts > fix.ts);
    if (!this.wanted || fix.lat === undefined || fix.lng === undefined || !isNewer) return;
    const now = performance.now();
    this.#came = [...this.#came.filter((at) => now - at < RATE_OVER_MS), now];
    const over = now - this.#came[0];
    this.fix = { ...fix, hertz: over ? ((this.#came.length - 1) * 1000) / over : 0 };
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}
