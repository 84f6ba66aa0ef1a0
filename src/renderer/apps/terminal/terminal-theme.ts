import type { ITheme } from '@xterm/xterm'

const ANSI = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const

/** The terminal's colours out of the theme's tokens as they are now, on `element` (which may lie in another hue). */
export function terminalTheme(element: Element): ITheme {
  const { theme = '', hue = '' } = document.documentElement.dataset
  const nearest = element.closest<HTMLElement>('[data-hue]')?.dataset['hue'] ?? hue
  const name = `${theme}:${nearest}:${matchMedia('(prefers-contrast: more)').matches}`
  const known = themes.get(name) ?? readTheme(element)
  themes.set(name, known)
  return known
}

/** Read once for each look: 25 computed colours take 15 ms, and a desk may hold forty terminals. */
const themes = new Map<string, ITheme>()

function readTheme(element: Element): ITheme {
  const style = getComputedStyle(element)
  const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  const colour = (token: string): string => toHex(paint, style.getPropertyValue(token).trim())
  const theme: Record<string, string> = {
    background: colour('--surface'),
    foreground: colour('--text'),
    cursor: colour('--accent'),
    cursorAccent: colour('--surface'),
    selectionBackground: colour('--accent-selection'),
    selectionInactiveBackground: colour('--pressed'),
    scrollbarSliderBackground: colour('--edge-firm'),
    scrollbarSliderHoverBackground: colour('--edge-control'),
    scrollbarSliderActiveBackground: colour('--edge-control'),
  }
  for (const name of ANSI) {
    theme[name] = colour(`--ansi-${name}`)
    theme[`bright${name[0]?.toUpperCase()}${name.slice(1)}`] = colour(`--ansi-bright-${name}`)
  }
  return theme
}

/** Any CSS colour as #rrggbbaa: xterm.js reads no OKLCH. */
function toHex(paint: CanvasRenderingContext2D | null, css: string): string {
  if (!paint || css === '') return '#808080'
  paint.clearRect(0, 0, 1, 1)
  paint.fillStyle = css
  paint.fillRect(0, 0, 1, 1)
  return `#${[...paint.getImageData(0, 0, 1, 1).data].map((part) => part.toString(16).padStart(2, '0')).join('')}`
}
