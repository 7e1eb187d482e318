// Messages in the console: the list, the open conversation, what waits to be sent, and the word of what is new.

import { bindKey } from "../ui/keys.js";
import { Conversation } from "./conversation.js";
import { Conversations } from "./conversations.js";
import { Outbox } from "./outbox.js";
import { conversationOf, isToDispatch } from "./parties.js";
import { sendReceipts } from "./receipts.js";
import { SessionStore } from "./session.js";

const GATHER_MS = 300; // messages that come together are told of together
const element = (id) => document.getElementById(id);

/** Make the parts and connect them; `texts` are the words of errors, `store` knows the vehicles. */
export function connectMessages({ socket, store, tabs, drawer, navigation, toasts, texts }) {
  const session = new SessionStore(document.body.dataset.user);
  const outbox = new Outbox(socket, session);
  const conversation = new Conversation(element("drawer"), drawer, { socket, outbox, store: session, texts });
  new Conversations(element("conversation-filter"), element("conversation-list"), { socket, tabs, drawer });
  sendReceipts(socket);

  // ---- What is new, or was refused, where it is not on the screen.

  const isOpen = (reference) => drawer.idOf("conversation") === reference && !document.hidden;
  let news = [];
  let timer = null;
  socket.addEventListener("message", ({ detail }) => {
    if (!isToDispatch(detail) || isOpen(conversationOf(detail))) return;
    news.push(detail);
    timer ??= setTimeout(tell, GATHER_MS);
  });
  function tell() {
    const [first] = news;
    const count = news.length;
    [news, timer] = [[], null];
    if (count === 1) toasts.show(`Message from ${first.senderId}`, first.content);
    else toasts.show(`${count} new messages`, "They are in the list of messages (g m).");
  }
  outbox.addEventListener("refused", ({ detail: { conversation: reference, refusal } }) => {
    if (!isOpen(reference)) toasts.error(refusal);
  });

  // ---- Writing to a vehicle.

  function write() {
    if (drawer.idOf("conversation") !== null) return conversation.compose();
    const { vehicleId = drawer.idOf("vehicle") } = document.activeElement.dataset;
    const vehicle = store.get(vehicleId);
    if (!vehicle?.fleet) return undefined;
    navigation.open("conversation", `${vehicle.fleet}/${vehicleId}`);
    return conversation.compose();
  }
  element("drawer").addEventListener("click", ({ target }) => target.closest("[data-write]") && conversation.compose());
  bindKey("g m", "Go to the messages", () => navigation.show("messages"));
  bindKey("m", "Write to the vehicle", write);

  conversation.follow(); // one that the link names is in the page already
}
