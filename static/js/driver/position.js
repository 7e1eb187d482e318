// Where this vehicle is: from the browser, told to the server when it is news.

const APART_MS = 200; // five a second is what the server takes
const REPORT_MS = 15_000; // and so often at the least, though nothing has changed
const FAULTS = { 1: "The browser does not let this page know where it is. Allow it by the sign beside the address.", 2: "The position is unknown at the moment.", 3: "The position is unknown at the moment." };

/** `fix` is the newest `{lat, lng, ts, speed?, heading?, accuracy?, battery?}`, or null; `change` tells, also of `fault`. */
export class Position extends EventTarget {
  #socket;
  #battery = null;
  #sentAt = 0;
  #timer = null;
  fix = null;
  fault = null;

  constructor(socket) {
    super();
    this.#socket = socket;
    navigator.getBattery?.().then((battery) => (this.#battery = battery)).catch(() => {});
    const options = { enableHighAccuracy: true, maximumAge: 1000 };
    navigator.geolocation?.watchPosition((found) => this.#found(found), (fault) => this.#failed(fault), options);
    socket.addEventListener("registered", () => this.#send());
    setInterval(() => Date.now() - this.#sentAt >= REPORT_MS && this.#send(), REPORT_MS);
  }

  #found({ coords, timestamp }) {
    const { latitude: lat, longitude: lng, speed, heading, accuracy } = coords;
    this.fault = null;
    this.fix = { lat, lng, ts: Math.round(timestamp) };
    if (speed !== null && speed >= 0) this.fix.speed = Math.min(200, speed);
    if (heading !== null && !Number.isNaN(heading)) this.fix.heading = heading;
    if (accuracy <= 100_000) this.fix.accuracy = accuracy;
    if (this.#battery) this.fix.battery = Math.round(this.#battery.level * 100);
    this.#timer ??= setTimeout(() => this.#send(), Math.max(0, this.#sentAt + APART_MS - Date.now()));
    this.dispatchEvent(new Event("change"));
  }

  #failed({ code }) {
    this.fault = FAULTS[code];
    this.dispatchEvent(new Event("change"));
  }

  #send() {
    clearTimeout(this.#timer);
    this.#timer = null;
    if (this.fix && this.#socket.send("location_update", this.fix)) this.#sentAt = Date.now();
  }
}
