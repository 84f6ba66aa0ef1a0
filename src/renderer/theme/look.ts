import { type Disposable, toDisposable } from '../../base/disposable.ts'

/** What the page needs before the workspace is open: kept on this display so that the first paint is already right. */
export interface Look {
  readonly theme: 'system' | 'light' | 'dark'
  /** Reduced motion: as the system wants it, on, or off. */
  readonly motion: 'system' | 'on' | 'off'
  readonly hue: number
}

/** Read by public/theme-boot.js before the first paint. */
const STORAGE_KEY = 'elsewhere.look'

/** What this display's system asks of every page. */
export interface SystemLook {
  readonly dark: boolean
  readonly reducedMotion: boolean
}

const DARK = '(prefers-color-scheme: dark)'
const REDUCED = '(prefers-reduced-motion: reduce)'
const systemNow = (): SystemLook => ({ dark: matchMedia(DARK).matches, reducedMotion: matchMedia(REDUCED).matches })

/** What the page is marked with: the person's choice, else the system's. Styles look at nothing but these two. */
export const resolveLook = ({ theme, motion }: Pick<Look, 'theme' | 'motion'>, system: SystemLook) => ({
  theme: theme === 'dark' || (theme === 'system' && system.dark) ? ('dark' as const) : ('light' as const),
  motion: motion === 'on' || (motion === 'system' && system.reducedMotion) ? ('reduced' as const) : ('full' as const),
})

/** Applies theme, motion and hue to the page and keeps them for the next start. */
export function applyLook(look: Look): void {
  const root = document.documentElement
  Object.assign(root.dataset, resolveLook(look, systemNow()), { hue: String(look.hue) })
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(look))
  } catch {
    return // Storage is refused: the next first paint follows the system instead.
  }
}

/** The screens before the desk follow the system too, unless the person chose otherwise: one listener for the life of the page. */
export function followSystemLook(): void {
  onDidChangeSystemLook(() => Object.assign(document.documentElement.dataset, resolveLook(kept(), systemNow())))
}

/** As it was applied last; the system's where nothing is kept, or something else. */
function kept(): Pick<Look, 'theme' | 'motion'> {
  let look: { theme?: unknown; motion?: unknown } | null
  try {
    look = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '{}')
  } catch {
    look = null // Storage is refused or holds something else.
  }
  const theme = look?.theme === 'light' || look?.theme === 'dark' ? look.theme : 'system'
  const motion = look?.motion === 'on' || look?.motion === 'off' ? look.motion : 'system'
  return { theme, motion }
}

/** Calls back when the system changes between light and dark, or between full and reduced motion. */
export function onDidChangeSystemLook(listener: () => void): Disposable {
  const queries = [matchMedia(DARK), matchMedia(REDUCED)]
  for (const query of queries) query.addEventListener('change', listener)
  return toDisposable(() => {
    for (const query of queries) query.removeEventListener('change', listener)
  })
}
