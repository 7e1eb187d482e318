// What this browser remembers for its user. A browser that refuses storage works, and forgets.

const PREFIX = "v2v.";

/** The kept value, if it is one of those allowed. */
export function remembered(name, allowed) {
  try {
    const value = localStorage.getItem(PREFIX + name);
    return allowed.includes(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // Private windows may refuse: the choice then lasts as long as the page.
  }
}
