// The word to the server that messages to dispatch have come here: their senders see "delivered".

import { isToDispatch } from "./parties.js";

const GATHER_MS = 50;
const AT_ONCE = 200;

/** Say of every message to dispatch that it came. What is lost of it is said again after the next snapshot. */
export function sendReceipts(socket) {
  let came = [];
  let timer = null;
  const note = (messages) => {
    came.push(...messages.filter(isToDispatch).map(({ messageId }) => messageId));
    if (came.length) timer ??= setTimeout(say, GATHER_MS);
  };
  const say = () => {
    timer = null;
    for (let begin = 0; begin < came.length; begin += AT_ONCE) {
      socket.send("message_delivered", { messageIds: came.slice(begin, begin + AT_ONCE) });
    }
    came = [];
  };
  socket.addEventListener("registered", ({ detail }) => note(detail.messages ?? []));
  socket.addEventListener("message", ({ detail }) => note([detail]));
}
