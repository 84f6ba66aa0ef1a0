import type { JobObservation } from './job-process.ts'
import type { SeenBehaviour } from './seen-behaviour-contract.ts'

/** Whoever draws on the whole screen says so before anything else: only that much output is looked at. */
const LOOKED_AT_BYTES = 64 * 1024
const ESCAPE = 0x1b
/** `ESC [ ? N h` that turn to the other screen: 1049 in all that lives, 1047 and 47 before. */
const SCREENS = ['[?1049h', '[?1047h', '[?47h']
const LONGEST = 8
/** For its input it has to stand still in so many looks, one a second: else it only waits for who writes into it. */
const STILL_LOOKS = 3

/** What one run shows of itself while it runs (rule JB100): from looks at its processes, and from the beginning of its output. */
export class BehaviourObserver {
  readonly #ports = new Set<number>()
  #terminal = false
  #input = false
  #screen = false
  #stillLooks = 0
  #lookedAt = 0
  /** The end of the piece before, which a sequence may begin in. */
  #left = ''

  get seen(): SeenBehaviour {
    return { ports: [...this.#ports].slice(0, 64), terminal: this.#terminal, input: this.#input, screen: this.#screen }
  }

  look({ ports, waits }: JobObservation): void {
    for (const port of ports) this.#ports.add(port)
    this.#terminal ||= waits === 'terminal'
    this.#stillLooks = waits === 'input' ? this.#stillLooks + 1 : 0
    this.#input ||= this.#stillLooks >= STILL_LOOKS
  }

  /** @returns whether it has just been seen to draw on the whole screen */
  output(bytes: Uint8Array): boolean {
    if (this.#screen || this.#lookedAt >= LOOKED_AT_BYTES) return false
    const piece = bytes.subarray(0, LOOKED_AT_BYTES - this.#lookedAt)
    this.#lookedAt += piece.length
    if (this.#left === '' && !piece.includes(ESCAPE)) return false
    const text = this.#left + Array.from(piece, (byte) => String.fromCharCode(byte)).join('')
    this.#screen = SCREENS.some((sequence) => text.includes(`${String.fromCharCode(ESCAPE)}${sequence}`))
    this.#left = text.slice(-LONGEST)
    if (!this.#left.includes(String.fromCharCode(ESCAPE))) this.#left = ''
    return this.#screen
  }
}
