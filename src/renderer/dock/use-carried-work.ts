import { useEffect } from 'react'
import { useHome } from '../apps/use-home.ts'
import { useOwnDevice } from '../apps/app-hooks.ts'
import { useShell } from '../desk/shell-store.ts'
import { dropCarried, tileUnder } from '../window/drop-on-device.ts'
import { dropWork, isWork, planCarried, useCarriedPlan } from './carried-plan.ts'
import { frontFolder } from './front-folder.ts'

/**
 * While a command or files are dragged by the browser's own drag: asks where they could run, and lets the tiles take them
 * by place, as they take tabs and windows. What lies below the grown dock takes them otherwise.
 */
export function useCarriedWork(): void {
  const carried = useShell((state) => state.carried)
  const own = useOwnDevice()
  const { home } = useHome(own)
  useEffect(() => {
    if (!isWork(carried)) return
    const ending = new AbortController()
    const on = { signal: ending.signal, capture: true }
    void planCarried(carried, own, frontFolder(own, home) ?? home ?? '/', ending.signal)
    addEventListener(
      'dragover',
      (event) => {
        if (!tileUnder(event.clientX, event.clientY)) return
        event.preventDefault()
        event.stopPropagation()
        if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy'
      },
      on,
    )
    addEventListener(
      'drop',
      (event) => {
        const tile = tileUnder(event.clientX, event.clientY)
        dropCarried() // first: what is asked next may open the dock again
        if (!tile) return
        event.preventDefault()
        event.stopPropagation()
        void dropWork(carried, tile)
      },
      on,
    )
    addEventListener('dragend', dropCarried, on)
    // A row that vanished while it was carried tells no end: the pointer moves again only when there is no drag.
    addEventListener('pointermove', dropCarried, on)
    return () => {
      ending.abort()
      useCarriedPlan.setState({ line: undefined, folder: undefined, answer: undefined })
    }
  }, [carried, own, home])
}
