import { type Clock, systemClock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'

/** CSS px of the page, whole. */
export interface ViewBounds {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** What a placer sees at one moment. */
export interface Sight {
  /** Where the view would lie; undefined: nowhere. */
  readonly bounds: ViewBounds | undefined
  /** Nothing of the desk lies in front of it and nothing is being dragged. */
  readonly clear: boolean
}

/** A place must be the same for this long before a view comes back to it: pictures follow a drag, views would lag. */
export const SETTLE_MS = 120

/** Whatever the desk draws over windows. A view would lie in front of all of it; a test holds the list against the styles. */
export const OVER_WINDOWS = [
  '.ui-menu',
  '.ui-dialog',
  '.ui-scrim',
  '.ui-toast',
  '.ui-tip',
  '.palette',
  '.palette-scrim',
  '.switcher',
  '.messages',
  '.dock-preview',
  '.elsewhere-panel',
  '.followed-job',
  '.snap-preview[data-shown]',
  '.keyboard-mode',
  '.cm-tooltip',
]

const EVENTS = ['transitionend', 'animationend', 'dragstart', 'dragend', 'drop'] as const

export const overlaps = (a: ViewBounds, b: ViewBounds): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height

/** The whole pixels inside a box, or undefined when there are none. */
export function insideOf({
  left,
  top,
  right,
  bottom,
}: {
  left: number
  top: number
  right: number
  bottom: number
}): ViewBounds | undefined {
  const [x, y] = [Math.ceil(left), Math.ceil(top)]
  const [width, height] = [Math.floor(right) - x, Math.floor(bottom) - y]
  return width > 0 && height > 0 ? { x, y, width, height } : undefined
}

/** Where an element is and whether a view could lie there now. */
function lookAt(element: HTMLElement, draggingFile: boolean): Sight {
  const bounds = insideOf(element.getBoundingClientRect())
  if (!bounds) return { bounds, clear: false }
  const own = element.closest<HTMLElement>('[data-window]')
  const dragging = draggingFile || document.documentElement.dataset['dragging'] !== undefined || own?.dataset['remoteDrag'] !== undefined
  const depth = Number(own?.style.zIndex ?? 0)
  const inFront = [...document.querySelectorAll<HTMLElement>('[data-window]')].filter(
    (frame) => frame !== own && Number(frame.style.zIndex) > depth,
  )
  const over = document.querySelectorAll<HTMLElement>(OVER_WINDOWS.join(','))
  return { bounds, clear: !dragging && ![...inFront, ...over].some((one) => overlaps(bounds, one.getBoundingClientRect())) }
}

export interface ViewActions {
  show(bounds: ViewBounds): Promise<void>
  /** @returns how it looked, if wanted */
  hide(picture: boolean): Promise<string | null>
  /** A picture to stand in the view's place, or undefined: the view is there. */
  setPicture(picture: string | undefined): void
}

type Wanted = { readonly kind: 'shown'; readonly bounds: ViewBounds } | { readonly kind: 'hidden'; readonly picture: boolean }

/**
 * Keeps one view where its element is, and out of sight whenever that would be wrong. Looks only when the page has changed: an
 * idle desk costs nothing. Calls are made one after another; what is outdated before its turn is left out.
 */
export class ViewPlacer implements Disposable {
  readonly #owned = new DisposableStore()
  readonly #actions: ViewActions
  readonly #clock: Clock
  readonly #look: () => Sight
  #wanted: Wanted = { kind: 'hidden', picture: false }
  #done: Wanted = { kind: 'hidden', picture: false }
  #busy = false
  #last: ViewBounds | undefined
  #movedAtMs = Number.NEGATIVE_INFINITY
  #settling: Disposable | undefined
  #hasShown = false

  constructor(look: () => Sight, actions: ViewActions, clock: Clock = systemClock) {
    this.#look = look
    this.#actions = actions
    this.#clock = clock
    this.#owned.defer(() => this.#settling?.dispose())
  }

  /** Follows an element of the page. */
  static follow(element: HTMLElement, actions: ViewActions): ViewPlacer {
    let draggingFile = false
    const placer = new ViewPlacer(() => lookAt(element, draggingFile), actions)
    const owned = placer.#owned
    let frame = 0
    const soon = () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0
        placer.check()
      })
    }
    owned.defer(() => cancelAnimationFrame(frame))
    const mutations = new MutationObserver(soon)
    const attributeFilter = [
      'style',
      'class',
      'hidden',
      'data-dragging',
      'data-lifted',
      'data-remote-drag',
      'data-zone',
      'data-open',
      'data-shown',
    ]
    mutations.observe(document.documentElement, { subtree: true, childList: true, attributes: true, attributeFilter })
    owned.defer(() => mutations.disconnect())
    const sizes = new ResizeObserver(soon)
    sizes.observe(element)
    owned.defer(() => sizes.disconnect())
    const listening = new AbortController()
    owned.defer(() => listening.abort())
    for (const type of EVENTS) {
      const handle = () => {
        if (type.startsWith('drag') || type === 'drop') draggingFile = type === 'dragstart'
        soon()
      }
      addEventListener(type, handle, { capture: true, passive: true, signal: listening.signal })
    }
    addEventListener('resize', soon, { signal: listening.signal })
    placer.check()
    return placer
  }

  /** Looks, and decides. */
  check(): void {
    if (this.#owned.isDisposed) return
    const { bounds, clear } = this.#look()
    const nowMs = this.#clock.monotonicMs()
    if (this.#last && !same(this.#last, bounds)) this.#movedAtMs = nowMs
    this.#last = bounds
    const leftMs = this.#movedAtMs + SETTLE_MS - nowMs
    if (!bounds) this.#want({ kind: 'hidden', picture: false })
    else if (!clear) this.#want({ kind: 'hidden', picture: true })
    else if (leftMs > 0 && this.#hasShown) {
      this.#want({ kind: 'hidden', picture: true })
      this.#settling?.dispose()
      this.#settling = this.#clock.after(leftMs, () => this.check())
    } else this.#want({ kind: 'shown', bounds })
  }

  /** Takes the view out of sight; the page goes on. */
  dispose(): void {
    if (this.#owned.isDisposed) return
    this.#owned.dispose()
    this.#want({ kind: 'hidden', picture: false })
  }

  #want(wanted: Wanted): void {
    this.#wanted = wanted
    if (!this.#busy) void this.#work()
  }

  async #work(): Promise<void> {
    this.#busy = true
    while (!isDone(this.#wanted, this.#done)) {
      const wanted = this.#wanted
      if (wanted.kind === 'shown') {
        await this.#actions.show(wanted.bounds)
        this.#hasShown = true
      } else {
        const picture = await this.#actions.hide(wanted.picture)
        if (!this.#owned.isDisposed) this.#actions.setPicture(picture ?? undefined)
      }
      this.#done = wanted
      if (wanted.kind === 'shown' && this.#wanted === wanted && !this.#owned.isDisposed) this.#actions.setPicture(undefined)
    }
    this.#busy = false
  }
}

const same = (a: ViewBounds | undefined, b: ViewBounds | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height)

/** A hidden view stays as it was hidden: it has no new picture to give. */
const isDone = (wanted: Wanted, done: Wanted): boolean =>
  wanted.kind === 'hidden' ? done.kind === 'hidden' : done.kind === 'shown' && same(wanted.bounds, done.bounds)
