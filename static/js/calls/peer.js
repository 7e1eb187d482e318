// One WebRTC connection to the other side of a call: sound both ways, and a channel for telemetry. It knows no call and
// no page: what it has to say to the other side it tells, and what that says is given to it.

const MOST_EARLY = 64; // candidates that come before the description that they belong to
const CHANNEL = "telemetry";

/** What names a peer connection: its certificate. One that has begun anew, after a reload, has another. */
const fingerprintOf = (sdp) => /^a=fingerprint:(.*?)\r?$/m.exec(sdp)?.[1];

/**
 * Fires `signal` with `{event, data}` for the other side, `state` when `state` has changed (as in
 * RTCPeerConnection.connectionState), `sound` with the stream of the other side, `channel` with the data channel.
 */
export class Peer extends EventTarget {
  #iceServers;
  #isCaller;
  #stream;
  #connection = null;
  #sender;
  #remote = null; // the fingerprint of the other side
  #early = [];
  state = "new";

  /** `stream` is the microphone's, or null to listen only. Of two offers that cross the caller's stands. */
  constructor({ iceServers = [], isCaller, stream }) {
    super();
    this.#iceServers = iceServers;
    this.#isCaller = isCaller;
    this.#stream = stream;
    this.#open();
  }

  /** Offer the connection to the other side; where there is one that broke, look for another way to each other. */
  async offer() {
    const connection = this.#connection;
    if (connection.signalingState === "closed") return;
    if (connection.currentRemoteDescription) connection.restartIce();
    else if (!connection.localDescription) this.#take(connection.createDataChannel(CHANNEL, { ordered: false, maxRetransmits: 0 }));
    await connection.setLocalDescription();
    this.#say("webrtc_offer", { sdp: connection.localDescription.sdp });
  }

  /** Take an event of the other side: `webrtc_offer`, `webrtc_answer` or `webrtc_ice_candidate`. */
  async hear(event, data) {
    if (event === "webrtc_offer") await this.#offered(data.sdp);
    else if (event === "webrtc_answer") await this.#answered(data.sdp);
    else await this.#candidate(data);
  }

  /** Speak into another microphone. */
  async use(stream) {
    this.#stream = stream;
    await this.#sender.replaceTrack(stream.getAudioTracks()[0]);
  }

  stats() {
    return this.#connection.getStats();
  }

  close() {
    this.#connection.close();
    this.state = "closed";
  }

  #open() {
    this.#connection?.close();
    this.#remote = null;
    this.#early = [];
    const connection = new RTCPeerConnection({ iceServers: this.#iceServers });
    this.#connection = connection;
    const track = this.#stream?.getAudioTracks()[0];
    if (track) this.#sender = connection.addTrack(track, this.#stream);
    else this.#sender = connection.addTransceiver("audio", { direction: "recvonly" }).sender;
    const current = (act) => (event) => connection === this.#connection && act(event);
    connection.ontrack = current(({ track: sound, streams }) => this.#tell("sound", streams[0] ?? new MediaStream([sound])));
    connection.ondatachannel = current(({ channel }) => this.#take(channel));
    connection.onicecandidate = current(({ candidate }) => candidate && this.#found(candidate));
    connection.onconnectionstatechange = current(() => this.#enter(connection.connectionState));
  }

  async #offered(sdp) {
    const crosses = this.#connection.signalingState === "have-local-offer";
    if (crosses && this.#isCaller) return;
    const isAnother = this.#remote !== null && this.#remote !== fingerprintOf(sdp);
    if (crosses || isAnother) this.#open();
    const connection = this.#connection;
    await this.#describe("offer", sdp);
    await connection.setLocalDescription();
    this.#say("webrtc_answer", { sdp: connection.localDescription.sdp });
  }

  async #answered(sdp) {
    if (this.#connection.signalingState !== "have-local-offer") return;
    if (this.#remote !== null && this.#remote !== fingerprintOf(sdp)) {
      // It has begun anew while our offer was on its way.
      this.#open();
      await this.offer();
    } else await this.#describe("answer", sdp);
  }

  async #describe(type, sdp) {
    const connection = this.#connection;
    await connection.setRemoteDescription({ type, sdp });
    this.#remote = fingerprintOf(sdp);
    const early = this.#early.splice(0);
    await Promise.all(early.map((data) => this.#candidate(data)));
  }

  async #candidate(data) {
    const connection = this.#connection;
    if (!connection.remoteDescription) {
      if (this.#early.length < MOST_EARLY) this.#early.push(data);
      return;
    }
    const { candidate, sdpMid = null, sdpMLineIndex = null, usernameFragment } = data;
    try {
      await connection.addIceCandidate({ candidate, sdpMid, sdpMLineIndex, usernameFragment });
    } catch {
      // One of a description that has been replaced meanwhile.
    }
  }

  #found({ candidate, sdpMid, sdpMLineIndex, usernameFragment }) {
    this.#say("webrtc_ice_candidate", { candidate, sdpMid, sdpMLineIndex, usernameFragment });
  }

  #take(channel) {
    if (channel.label === CHANNEL) this.#tell("channel", channel);
  }

  #enter(state) {
    this.state = state;
    this.#tell("state", state);
  }

  #say(event, data) {
    this.#tell("signal", { event, data });
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
