// The name by which the server knows this tab again after a reload, so that a call goes on in it.

import { newId } from "../ids.js";

const NAME = "v2v.page";

/**
 * The tab's name: kept over a reload, and new in a copy of the tab. It is put away only while the page goes: a tab that
 * is copied while it is open copies no name.
 */
export function pageId() {
  let id = null;
  try {
    id = sessionStorage.getItem(NAME);
    sessionStorage.removeItem(NAME);
    id ??= newId();
    addEventListener("pagehide", () => sessionStorage.setItem(NAME, id));
  } catch {
    // A browser that refuses storage: after a reload it is another page, and the call ends.
  }
  return id ?? newId();
}
