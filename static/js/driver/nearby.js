// Who is near this vehicle: the server's answer, kept up to date by the positions that come in.

import { serverNow, showTime, ticker } from "../clock.js";
import { bearingDegrees, distanceM } from "../geo.js";
import { write } from "../text.js";
import { place } from "../ui/rows.js";
import { compassPoint, distanceText } from "../units.js";

const MOST = 20;

export class NearbyList {
  #list;
  #empty;
  #template;
  #socket;
  #position;
  #peers = new Map();
  #rows = new Map();

  constructor({ list, empty, template }, socket, position) {
    this.#list = list;
    this.#empty = empty;
    this.#template = template;
    this.#socket = socket;
    this.#position = position;
    socket.addEventListener("registered", ({ detail }) => this.#replace(detail.nearby ?? []));
    socket.addEventListener("nearby_snapshot", ({ detail }) => this.#replace(detail.peers));
    socket.addEventListener("peer_locations", ({ detail }) => this.#move(detail.peers));
    socket.addEventListener("proximity_event", ({ detail }) => this.#cameOrWent(detail));
    ticker.addEventListener("tick", () => this.#show());
  }

  #replace(peers) {
    this.#peers = new Map(peers.map((peer) => [peer.vehicleId, peer]));
    this.#show();
  }

  #move(peers) {
    for (const peer of peers) {
      const known = this.#peers.get(peer.vehicleId);
      if (known && !(known.ts > peer.ts)) Object.assign(known, peer, { lastSeen: peer.ts });
    }
  }

  #cameOrWent({ type, peerVehicleId }) {
    if (type === "exit") this.#peers.delete(peerVehicleId);
    else this.#socket.send("nearby_refresh", {});
    this.#show();
  }

  #show() {
    const here = this.#position.fix;
    const peers = [...this.#peers.values()].map((peer) => ({
      ...peer,
      distanceM: here ? distanceM(here, peer) : peer.distanceM,
      bearing: here ? bearingDegrees(here, peer) : peer.bearing,
    }));
    peers.sort((a, b) => a.distanceM - b.distanceM);
    const rows = peers.slice(0, MOST).map((peer) => this.#row(peer));
    place(this.#list, rows);
    for (const [id, row] of this.#rows) if (!rows.includes(row)) this.#rows.delete(id);
    this.#empty.hidden = rows.length > 0;
  }

  #row(peer) {
    const row = this.#rows.get(peer.vehicleId) ?? this.#template.content.firstElementChild.cloneNode(true);
    this.#rows.set(peer.vehicleId, row);
    write(row.querySelector("[data-part=vehicle]"), peer.vehicleId);
    write(row.querySelector("[data-part=where]"), `${distanceText(peer.distanceM)} ${compassPoint(peer.bearing)}`);
    showTime(row.querySelector("time"), peer.lastSeen ?? peer.ts, serverNow());
    const call = row.querySelector("[data-call]");
    call.dataset.call = peer.vehicleId;
    call.ariaLabel = `Call ${peer.vehicleId}`;
    return row;
  }
}
