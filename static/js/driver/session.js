// Who drives: the vehicle and its device token, kept in this tab alone and never in its address.

const NAME = "v2v.drive";
const VEHICLE = /^[A-Za-z0-9._-]{3,40}$/;

/** Take what a link brings (`#vehicle=…&token=…`) out of the address. */
export function takeLinked() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (!given.has("token")) return;
  history.replaceState(null, "", location.pathname);
  const driver = { vehicleId: given.get("vehicle") ?? "", token: given.get("token"), driverName: given.get("driver") ?? "" };
  if (isComplete(driver)) keep(driver);
}

/** Whether somebody can be signed in with it. */
export const isComplete = ({ vehicleId, token }) => VEHICLE.test(vehicleId) && token.length > 0 && token.length <= 4096;

export function keep(driver) {
  sessionStorage.setItem(NAME, JSON.stringify(driver));
}

export function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(NAME));
  } catch {
    return null;
  }
}

export function forget() {
  sessionStorage.removeItem(NAME);
}
