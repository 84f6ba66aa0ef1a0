import { useEffect, useRef } from 'react'
import type { PixelRect } from '../../session/snap-zone.ts'
import { frameStyle } from './frame-elements.ts'

let show: (rect: PixelRect | undefined) => void = () => {}

/** Shows where a window would land, or nothing. Called from drags, so it goes past React. */
export const previewSnap = (rect: PixelRect | undefined): void => show(rect)

/** Mounted once in the desk area. */
export function SnapPreview() {
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    show = (rect) => {
      const element = box.current
      if (!element) return
      if (rect) {
        Object.assign(element.style, frameStyle({ x: rect.x + 4, y: rect.y + 4, width: rect.width - 8, height: rect.height - 8 }))
        element.dataset['shown'] = ''
      } else delete element.dataset['shown']
    }
    return () => {
      show = () => {}
    }
  }, [])
  return <div ref={box} className="snap-preview" aria-hidden="true" />
}
