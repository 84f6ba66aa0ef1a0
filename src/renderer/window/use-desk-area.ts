import { type RefObject, useLayoutEffect } from 'react'
import type { DeskSize } from '../../session/display-class.ts'

/** Tells the size of the area windows lie in, first before anything is painted, and whenever it changes; never an empty one. */
export function useDeskArea(area: RefObject<HTMLElement | null>, onMeasure: (desk: DeskSize) => void): void {
  useLayoutEffect(() => {
    const node = area.current
    if (!node) return
    const measure = () => {
      if (node.clientWidth > 0 && node.clientHeight > 0) onMeasure({ width: node.clientWidth, height: node.clientHeight })
    }
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(node)
    return () => observer.disconnect()
  }, [area, onMeasure])
}
