import { type RefObject, useLayoutEffect, useState } from 'react'
import type { DeskSize } from '../../session/display-class.ts'

/** Tells the size of the area windows lie in, first before anything is painted, and whenever it changes. True once it was told. */
export function useDeskArea(area: RefObject<HTMLElement | null>, onResize: (desk: DeskSize) => void): boolean {
  const [measured, setMeasured] = useState(false)
  useLayoutEffect(() => {
    const node = area.current
    if (!node) return
    const measure = () => {
      if (node.clientWidth > 0 && node.clientHeight > 0) onResize({ width: node.clientWidth, height: node.clientHeight })
    }
    measure()
    setMeasured(true)
    const observer = new ResizeObserver(measure)
    observer.observe(node)
    return () => observer.disconnect()
  }, [area, onResize])
  return measured
}
