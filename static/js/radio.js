// Texts of radios that no vehicle has: they are in no conversation, so a toast tells of them.

/** As people read an address off a radio. */
const label = (address) =>
  address > 0xffff ? `!${address.toString(16).padStart(8, "0")}` : address.toString(16).toUpperCase().padStart(4, "0");

/** Tell of them; those of vehicles are messages. */
export function connectRadio({ socket, toasts }) {
  socket.addEventListener("radio_text", ({ detail: { senderShort, content, vehicleId } }) => {
    if (vehicleId) return;
    toasts.show(`Radio ${label(senderShort)}, not assigned`, content, {
      key: `radio-${senderShort}`,
      tone: "info",
      href: "/radio/",
    });
  });
}
