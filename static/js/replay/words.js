// Moments of a replay as text, in the fleet's time zone.

const zoned = (timeZone, options) => new Intl.DateTimeFormat(undefined, { timeZone, hourCycle: "h23", ...options });

export class Words {
  constructor(timeZone) {
    this.timeZone = timeZone;
    this.clockFormat = zoned(timeZone, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
    this.minuteFormat = zoned(timeZone, { hour: "2-digit", minute: "2-digit" });
    this.dayFormat = zoned(timeZone, { day: "numeric", month: "short" });
    this.partsFormat = zoned(timeZone, { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" });
  }

  /** "14:05:09". */
  clock(ts) {
    return this.clockFormat.format(ts);
  }

  /** "25 Nov, 14:05:09". */
  full(ts) {
    return `${this.dayFormat.format(ts)}, ${this.clock(ts)}`;
  }

  /** A place on the axis: "14:05", or with seconds. */
  tick(ts, withSeconds) {
    return (withSeconds ? this.clockFormat : this.minuteFormat).format(ts);
  }

  /** How far the zone's clocks are ahead of UTC at a moment. */
  offsetMs(ts) {
    const parts = Object.fromEntries(this.partsFormat.formatToParts(ts).map(({ type, value }) => [type, Number(value)]));
    return Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second) - Math.floor(ts / 1000) * 1000;
  }
}
