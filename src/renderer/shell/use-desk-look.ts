import { useEffect } from 'react'
import { useSession } from '../desk/desk-store.ts'
import { applyLook, onDidChangeSystemTheme } from '../theme/look.ts'
import { setKeyOverrides } from './keymap-store.ts'

/** Theme, motion, hue and keys as the workspace has them, on the page. */
export function useDeskLook(): void {
  const theme = useSession((session) => session.preferences.theme)
  const motion = useSession((session) => session.preferences.reducedMotion)
  const hue = useSession((session) => session.activities[session.currentActivity]?.hue ?? 0)
  const name = useSession((session) => session.activities[session.currentActivity]?.name ?? '')
  const keybindings = useSession((session) => session.keybindings)
  useEffect(() => {
    const apply = () => applyLook({ theme, motion, hue })
    apply()
    const system = onDidChangeSystemTheme(apply)
    return () => system.dispose()
  }, [theme, motion, hue])
  useEffect(() => setKeyOverrides(keybindings), [keybindings])
  useEffect(() => {
    document.title = name ? `${name} · Elsewhere` : 'Elsewhere'
  }, [name])
}
