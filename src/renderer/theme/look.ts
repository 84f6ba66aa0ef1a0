/** What the page needs before the workspace is open: kept on this display so that the first paint is already right. */
export interface Look {
  readonly theme: 'system' | 'light' | 'dark'
  readonly motion: 'system' | 'on' | 'off'
  readonly hue: number
}

/** Read by public/theme-boot.js before the first paint. */
const STORAGE_KEY = 'elsewhere.look'

const systemDark = () => matchMedia('(prefers-color-scheme: dark)').matches

/** Applies theme, motion and hue to the page and keeps them for the next start. */
export function applyLook(look: Look): void {
  const root = document.documentElement
  root.dataset['theme'] = look.theme === 'dark' || (look.theme === 'system' && systemDark()) ? 'dark' : 'light'
  root.dataset['hue'] = String(look.hue)
  if (look.motion === 'on') root.dataset['motion'] = 'reduced'
  else delete root.dataset['motion']
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify({ theme: look.theme, hue: look.hue, motion: look.motion === 'on' ? 'reduced' : '' }))
  } catch {
    return // Storage is refused: the next first paint follows the system instead.
  }
}

/** The screens before the desk follow the system too, unless the person chose a theme: one listener for the life of the page. */
export function followSystemTheme(): void {
  onDidChangeSystemTheme(() => {
    let theme: unknown
    try {
      theme = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '{}')?.theme
    } catch {
      theme = undefined // Storage is refused or holds something else: the system's wish it is.
    }
    if (theme !== 'light' && theme !== 'dark') document.documentElement.dataset['theme'] = systemDark() ? 'dark' : 'light'
  })
}

/** Calls back when the system changes between light and dark. */
export function onDidChangeSystemTheme(listener: () => void): { dispose(): void } {
  const query = matchMedia('(prefers-color-scheme: dark)')
  query.addEventListener('change', listener)
  return { dispose: () => query.removeEventListener('change', listener) }
}
