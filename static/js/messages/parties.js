// Who talks to whom, by the names of the wire.

const DISPATCH = "dispatch";
const EVERYBODY = "*";

/** The conversation that a message of the wire belongs to, `fleet/key`, as the address names it. */
export function conversationOf({ fleet, senderId, recipientId, broadcast }) {
  const vehicles = broadcast ? [] : [senderId, recipientId].filter((id) => id !== DISPATCH).sort();
  return `${fleet}/${vehicles.join(":") || EVERYBODY}`;
}

/** Whether dispatch is one of those whom a message went to. */
export const isToDispatch = ({ senderId, recipientId, broadcast }) => senderId !== DISPATCH && (broadcast || recipientId === DISPATCH);
