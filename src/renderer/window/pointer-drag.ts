/** Pointer moves less than this are a click. */
const DRAG_START_PX = 4

export interface DragHandlers {
  /** The pointer has moved far enough; false refuses the drag. */
  readonly start: (event: PointerEvent) => boolean
  /** At most once a frame, with the latest position. */
  readonly move: (event: PointerEvent) => void
  /** Let go (`commit`), or given up with Escape, a second button, or the window losing the pointer. */
  readonly end: (event: PointerEvent | undefined, commit: boolean) => void
}

/**
 * Follows one pointer from a press to its end. Moves are taken at most once a frame, outside of React; the page is told
 * by `data-dragging` so that frames of other origins do not swallow the pointer.
 */
export function followPointer(press: PointerEvent, element: HTMLElement, handlers: DragHandlers): void {
  if (press.button !== 0) return
  const listening = new AbortController()
  const on = { signal: listening.signal }
  let started = false
  let frame = 0
  let latest = press

  const finish = (event: PointerEvent | undefined, commit: boolean) => {
    listening.abort()
    cancelAnimationFrame(frame)
    delete document.documentElement.dataset['dragging']
    if (!started) return
    if (commit && event) handlers.move(event)
    handlers.end(event, commit)
    // The click that follows a drag is not meant for what lies under the pointer.
    const swallow = (click: Event) => click.stopPropagation()
    addEventListener('click', swallow, { capture: true })
    setTimeout(() => removeEventListener('click', swallow, { capture: true }), 0)
  }

  const move = (event: PointerEvent) => {
    if (event.pointerId !== press.pointerId) return
    latest = event
    if (!started) {
      if (Math.hypot(event.clientX - press.clientX, event.clientY - press.clientY) < DRAG_START_PX) return
      if (!handlers.start(press)) return listening.abort()
      started = true
      element.setPointerCapture(press.pointerId)
      document.documentElement.dataset['dragging'] = ''
    }
    if (frame) return
    frame = requestAnimationFrame(() => {
      frame = 0
      handlers.move(latest)
    })
  }
  addEventListener('pointermove', move, on)
  addEventListener('pointerup', (event) => event.pointerId === press.pointerId && finish(event, true), on)
  addEventListener('pointercancel', (event) => event.pointerId === press.pointerId && finish(event, false), on)
  addEventListener('blur', () => finish(undefined, false), on)
  addEventListener(
    'keydown',
    (event) => {
      if (event.key !== 'Escape' || !started) return
      event.stopPropagation()
      event.preventDefault()
      finish(undefined, false)
    },
    { ...on, capture: true },
  )
}
