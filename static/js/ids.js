// Ids that nobody else has. `crypto.randomUUID` would want HTTPS, and a console on a local network may have none.

/** 128 random bits in hexadecimal. */
export const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
