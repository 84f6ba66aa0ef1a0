import { lazy, Suspense } from 'react'
import { useShell } from '../desk/shell-store.ts'

const Palette = lazy(() => import('./palette.tsx'))

/** The palette's code comes with its first use. */
export function PaletteHost() {
  const open = useShell((state) => state.palette)
  return open ? (
    <Suspense fallback={null}>
      <Palette />
    </Suspense>
  ) : null
}
