// Messages in the console: the list, the open conversation, what waits to be sent, and the word of what is new.

import { bindKey } from "../ui/keys.js";
import { Once } from "../ui/once.js";
import { Conversation } from "./conversation.js";
import { Conversations } from "./conversations.js";
import { Outbox } from "./outbox.js";
import { conversationOf, isToDispatch } from "./parties.js";
import { sendReceipts } from "./receipts.js";
import { SessionStore } from "./session.js";

const GATHER_MS = 300; // messages that come together are told of together
const [SOUNDED, SHOWN] = [1, 2]; // a tab that nobody sees sounds, and leaves it to another to show
const element = (id) => document.getElementById(id);

/** `page` holds the parts of the console: socket, store, tabs, drawer, navigation, toasts, sound, and the words of errors. */
export function connectMessages(page) {
  const { socket, store, tabs, drawer, navigation, toasts, sound, texts } = page;
  const session = new SessionStore(document.body.dataset.user);
  const outbox = new Outbox(socket, session);
  const conversation = new Conversation(element("drawer"), drawer, { socket, outbox, store: session, texts });
  new Conversations(element("conversation-filter"), element("conversation-list"), { socket, tabs, drawer });
  sendReceipts(socket);

  const isOpen = (reference) => drawer.idOf("conversation") === reference && !document.hidden;
  connectNews({ socket, toasts, sound, isOpen });
  outbox.addEventListener("refused", ({ detail: { conversation: reference, refusal } }) => {
    if (!isOpen(reference)) toasts.error(refusal);
  });

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

/** Tells of messages to dispatch, once in this browser: by sound, and where somebody sees it by a toast. */
function connectNews({ socket, toasts, sound, isOpen }) {
  const once = new Once(`${document.body.dataset.user}.messages`);
  let news = [];
  let timer = null;
  const tell = () => {
    const [first] = news;
    const count = news.length;
    [news, timer] = [[], null];
    const [title, advice, href] =
      count === 1
        ? [`Message from ${first.senderId}`, first.content, `/?tab=messages&conversation=${encodeURIComponent(conversationOf(first))}`]
        : [`${count} new messages`, "They stand in the list of messages.", "/?tab=messages"];
    toasts.show(title, advice, { key: `message-${first.messageId}`, tone: "info", href });
  };
  socket.addEventListener("message", async ({ detail }) => {
    if (!isToDispatch(detail) || isOpen(conversationOf(detail))) return;
    if (await once.claim(detail.messageId, SOUNDED)) sound.once("notice");
    if (document.hidden || !(await once.claim(detail.messageId, SHOWN))) return;
    news.push(detail);
    timer ??= setTimeout(tell, GATHER_MS);
  });
}
