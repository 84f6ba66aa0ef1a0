import { useEffect } from 'react'
import { useSession } from '../desk/desk-store.ts'
import { rememberUnlock } from '../screens/unlock-wish.ts'
import { applyLook, onDidChangeSystemLook } from '../theme/look.ts'
import { setKeyOverrides } from '../desk/keymap-store.ts'

/** Only pictures that lie in the workspace itself: an address would be fetched from wherever it points to. */
const OWN_IMAGE = /^data:image\/(png|jpeg|webp|avif);base64,[A-Za-z0-9+/=]+$/

/** Theme, motion, hue and keys as the workspace has them, on the page. Returns the style of the person's own wallpaper, if any. */
export function useDeskLook(): { readonly backgroundImage: string } | undefined {
  const theme = useSession((session) => session.preferences.theme)
  const motion = useSession((session) => session.preferences.reducedMotion)
  const hue = useSession((session) => session.activities[session.currentActivity]?.hue ?? 0)
  const name = useSession((session) => session.activities[session.currentActivity]?.name ?? '')
  const wallpaper = useSession((session) => session.preferences.wallpaper)
  const beside = useSession((session) => session.preferences.unlockBeside)
  const keybindings = useSession((session) => session.keybindings)
  useEffect(() => {
    const apply = () => applyLook({ theme, motion, hue })
    apply()
    const system = onDidChangeSystemLook(apply)
    return () => system.dispose()
  }, [theme, motion, hue])
  useEffect(() => rememberUnlock(beside ? 'beside' : 'move'), [beside])
  useEffect(() => setKeyOverrides(keybindings), [keybindings])
  useEffect(() => {
    document.title = name ? `${name} · Elsewhere` : 'Elsewhere'
  }, [name])
  return OWN_IMAGE.test(wallpaper) ? { backgroundImage: `url("${wallpaper}")` } : undefined
}
