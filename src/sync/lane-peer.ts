/** The other end of a LanePeer: what y-webrtc says is translated there, and what peers say comes from there. */
export interface FrameTranslator {
  /** y-webrtc wants this frame sent. */
  handleFrame(frame: Uint8Array): void
  /** The peer exists now; `deliver` hands a frame to y-webrtc. */
  bind(peer: { deliver(frame: Uint8Array): void; close(): void }): void
  /** y-webrtc has let go of the peer. */
  handleDestroy(): void
}

/** Passed as y-webrtc's `peerOpts`. */
export interface LanePeerOptions {
  readonly takeTranslator: () => FrameTranslator
}

/**
 * Stands where y-webrtc imports simple-peer (the build aliases it; ARCHITECTURE.md, section 4): the part of its surface
 * that y-webrtc calls. Opens no connection: the link is up and proved before one of these is made. Holds no logic; the
 * translator has it.
 */
export default class LanePeer {
  readonly #listeners = new Map<string, ((value?: unknown) => void)[]>()
  readonly #translator: FrameTranslator
  #isClosed = false

  constructor(options: LanePeerOptions) {
    this.#translator = options.takeTranslator()
    this.#translator.bind({ deliver: (frame) => this.#emit('data', frame), close: () => this.destroy() })
    // y-webrtc subscribes after construction
    queueMicrotask(() => {
      if (!this.#isClosed) this.#emit('connect')
    })
  }

  on(event: string, listener: (value?: unknown) => void): void {
    const listeners = this.#listeners.get(event)
    if (listeners) listeners.push(listener)
    else this.#listeners.set(event, [listener])
  }

  send(frame: Uint8Array): void {
    if (!this.#isClosed) this.#translator.handleFrame(frame)
  }

  /** simple-peer's signaling; there is none. */
  signal(): void {}

  destroy(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#translator.handleDestroy()
    this.#emit('close')
  }

  #emit(event: string, value?: unknown): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(value)
  }
}
