import { useEffect, useRef, useState } from 'react'
import { shortcutText } from './shortcut-text.ts'
import './tip-layer.css'

/** Rest on a button this long before its tip shows; moving on to a neighbour within the second time shows it at once. */
const TIP_DELAY_MS = 500
const TIP_WARM_MS = 400
const GAP_PX = 6
const EDGE_PX = 8

interface Tip {
  readonly text: string
  readonly keys: string | undefined
  readonly rect: DOMRect
  readonly side: 'below' | 'right' | 'left'
}

/**
 * The one tooltip of the page: listens for pointer and focus on elements with `data-tip` (and `data-tip-keys`,
 * `data-tip-side`). Elements name themselves with aria-label; the tip is for eyes only.
 */
export function TipLayer() {
  const [tip, setTip] = useState<Tip>()
  const box = useRef<HTMLDivElement>(null)

  useEffect(() => {
    let timer = 0
    let current: Element | undefined
    let hiddenAtMs = 0
    const hide = () => {
      clearTimeout(timer)
      if (!current) return
      current = undefined
      hiddenAtMs = performance.now()
      setTip(undefined)
    }
    const consider = (target: EventTarget | null, delayMs: number) => {
      const element = target instanceof Element ? target.closest('[data-tip]') : null
      if (!element) return hide()
      if (element === current) return
      hide()
      current = element
      timer = window.setTimeout(
        () => {
          if (!element.isConnected) return hide()
          const side = element.getAttribute('data-tip-side')
          setTip({
            text: element.getAttribute('data-tip') ?? '',
            keys: element.getAttribute('data-tip-keys') ?? undefined,
            rect: element.getBoundingClientRect(),
            side: side === 'right' || side === 'left' ? side : 'below',
          })
        },
        performance.now() - hiddenAtMs < TIP_WARM_MS ? 0 : delayMs,
      )
    }
    const listening = new AbortController()
    const on = { signal: listening.signal, capture: true, passive: true }
    document.addEventListener('pointerover', (event) => event.pointerType !== 'touch' && consider(event.target, TIP_DELAY_MS), on)
    document.addEventListener('pointerdown', hide, on)
    document.addEventListener('wheel', hide, on)
    document.addEventListener('focusout', hide, on)
    document.addEventListener(
      'focusin',
      (event) => event.target instanceof Element && event.target.matches(':focus-visible') && consider(event.target, 0),
      on,
    )
    document.addEventListener('keydown', (event) => event.key === 'Escape' && hide(), on)
    return () => {
      clearTimeout(timer)
      listening.abort()
    }
  }, [])

  useEffect(() => {
    const node = box.current
    if (!tip || !node) return
    const { width, height } = node.getBoundingClientRect()
    let x = tip.rect.left + tip.rect.width / 2 - width / 2
    let y = tip.rect.bottom + GAP_PX
    if (tip.side !== 'below') {
      x = tip.side === 'right' ? tip.rect.right + GAP_PX : tip.rect.left - GAP_PX - width
      y = tip.rect.top + tip.rect.height / 2 - height / 2
    } else if (y + height > innerHeight - EDGE_PX) y = tip.rect.top - GAP_PX - height
    node.style.translate = `${clamp(x, innerWidth - width)}px ${clamp(y, innerHeight - height)}px`
    node.dataset['shown'] = ''
  }, [tip])

  if (!tip) return null
  return (
    <div ref={box} className="ui-tip" aria-hidden="true">
      {tip.text}
      {tip.keys && <kbd className="ui-kbd">{shortcutText(tip.keys)}</kbd>}
    </div>
  )
}

const clamp = (value: number, highest: number) => Math.round(Math.max(EDGE_PX, Math.min(highest - EDGE_PX, value)))
